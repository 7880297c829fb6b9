//! The calls for which there is no sound wrapper: `recvmmsg` and `SO_MEMINFO`.
//!
//! nix has a `recvmmsg`, but it does not give the kernel the capacities of names and control data
//! again: from the second call on a message may hold less than the first one that used its place, and
//! then times and senders go missing. Here [`Ring::receive`] restores them before each call.

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;

use crate::access::sequence::{Micros, SECOND};

/// Room for the ancillary data of one message: a `timespec` with its header, and as much again so that
/// an option that somebody else has set on the socket does not push the time out.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 64]);

/// Cache lines are told apart by the low bits of addresses: places exactly 64 KiB apart would all fight
/// for the same few.
const STAGGER: usize = 64;

/// Memory for a batch of datagrams, used again and again. It stays with the thread that made it.
pub struct Ring {
    payloads: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    stride: usize,
    longest: usize,
    /// Messages of the last call. Only their headers were written by the kernel.
    filled: usize,
}

/// One datagram of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    pub payload: &'a [u8],
    /// The sender; IPv4-mapped addresses as IPv4. `None` if the kernel named none.
    pub sender: Option<SocketAddr>,
    /// When the kernel received it, microseconds since the UTC epoch.
    pub received_at: Option<Micros>,
    /// Longer than the memory for it: the rest is lost.
    pub is_truncated: bool,
}

impl Ring {
    /// Memory for `capacity` datagrams of at most `longest` bytes. Pages that are never needed stay
    /// with the system.
    pub fn new(capacity: usize, longest: usize) -> Self {
        // SAFETY: all three are plain C structures of numbers and pointers, for which zeros are values.
        let (name, vector, header) = unsafe {
            (mem::zeroed::<libc::sockaddr_storage>(), mem::zeroed(), mem::zeroed::<libc::mmsghdr>())
        };
        let stride = longest.next_multiple_of(STAGGER) + STAGGER;
        let mut ring = Self {
            payloads: vec![0; stride * capacity].into_boxed_slice(),
            names: vec![name; capacity].into_boxed_slice(),
            controls: vec![Control([0; 64]); capacity].into_boxed_slice(),
            vectors: vec![vector; capacity].into_boxed_slice(),
            headers: vec![header; capacity].into_boxed_slice(),
            stride,
            longest,
            filled: capacity,
        };
        ring.restore();
        ring
    }

    pub fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Gives the places that the last call used their capacities back.
    fn restore(&mut self) {
        let places = self.payloads.chunks_exact_mut(self.stride);
        let places = places.zip(&mut self.names).zip(&mut self.controls).zip(&mut self.vectors);
        let places = places.zip(&mut self.headers).take(self.filled);
        for ((((payload, name), control), vector), header) in places {
            vector.iov_base = payload.as_mut_ptr().cast();
            vector.iov_len = self.longest;
            let header = &mut header.msg_hdr;
            header.msg_name = ptr::from_mut(name).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = size_of::<Control>() as _;
            header.msg_flags = 0;
        }
    }

    /// Takes what the socket holds, at most a ring full, without waiting. Answers how many datagrams
    /// there are: 0 if there was none.
    ///
    /// # Errors
    ///
    /// Those of the socket; not that it is empty, nor that a signal came.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.restore();
        self.filled = 0;
        // SAFETY: `restore` has just made every header that the kernel wrote to point again at memory
        // that this ring owns, with that memory's true size; the others still do so from `new`. The
        // boxes never move or shrink, and `&mut self` keeps everybody else away during the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                self.headers.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        match usize::try_from(count) {
            Ok(count) => self.filled = count,
            Err(_) => {
                let error = io::Error::last_os_error();
                let is_nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                if !is_nothing.contains(&error.kind()) {
                    return Err(error);
                }
            }
        }
        Ok(self.filled)
    }

    /// The datagrams of the last call.
    pub fn iter(&self) -> impl Iterator<Item = Received<'_>> {
        let places = self.payloads.chunks_exact(self.stride).zip(&self.names);
        let places = places.zip(&self.controls).zip(&self.headers).take(self.filled);
        places.map(|(((payload, name), control), header)| Received {
            payload: payload.get(..header.msg_len as usize).unwrap_or(payload),
            sender: sender(name, header.msg_hdr.msg_namelen as usize),
            received_at: time(control, header.msg_hdr.msg_controllen as _),
            is_truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        })
    }
}

fn sender(name: &libc::sockaddr_storage, length: usize) -> Option<SocketAddr> {
    let family = libc::c_int::from(name.ss_family);
    let (address, port): (IpAddr, u16) = match family {
        libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: the kernel wrote a `sockaddr_in`, as family and length say; the storage is
            // aligned for every address.
            let name = unsafe { &*ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            (Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr)).into(), name.sin_port)
        }
        libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: as above, with `sockaddr_in6`.
            let name = unsafe { &*ptr::from_ref(name).cast::<libc::sockaddr_in6>() };
            (IpAddr::from(Ipv6Addr::from(name.sin6_addr.s6_addr)).to_canonical(), name.sin6_port)
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_be(port)))
}

/// The kernel's time among the ancillary data: headers of length, level and type, each with its data,
/// all aligned to 8 bytes.
fn time(control: &Control, length: usize) -> Option<Micros> {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let mut rest = control.0.get(..length)?;
    while rest.len() >= HEADER {
        // SAFETY: there are enough bytes for a header, which is numbers only.
        let header = unsafe { rest.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        let length: usize = header.cmsg_len as _;
        let data = rest.get(HEADER..length)?;
        let is_time = header.cmsg_level == libc::SOL_SOCKET
            && header.cmsg_type == libc::SCM_TIMESTAMPNS
            && data.len() >= size_of::<libc::timespec>();
        if is_time {
            // SAFETY: there are enough bytes for a `timespec`, which is numbers only.
            let time = unsafe { data.as_ptr().cast::<libc::timespec>().read_unaligned() };
            let seconds = Micros::try_from(time.tv_sec).ok()?;
            return Some(seconds * SECOND + Micros::try_from(time.tv_nsec).ok()? / 1000);
        }
        rest = rest.get(length.next_multiple_of(align_of::<usize>())..)?;
    }
    None
}

/// Datagrams that the kernel threw away because the socket's buffer was full, since it was opened.
pub fn drops(socket: BorrowedFd<'_>) -> io::Result<u32> {
    const COUNT: usize = libc::SK_MEMINFO_DROPS as usize + 1;
    let mut numbers = MaybeUninit::<[u32; COUNT]>::zeroed();
    let mut length = size_of::<[u32; COUNT]>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of the array.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            numbers.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: numbers, all of them zero before the call.
    let [.., drops] = unsafe { numbers.assume_init() };
    Ok(drops)
}

/// Makes a second descriptor of one that belongs to somebody else.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // Otherwise the number is no descriptor at all, which must not become a `BorrowedFd`.
    if number < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is not -1, and it is used here only to be copied; if it is not open, that fails.
    unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned()
}
