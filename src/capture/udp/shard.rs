//! Which of several workers a sender belongs to.
//!
//! All packets of a server must meet one state, whatever port they come from. The kernel would spread
//! the datagrams of an `SO_REUSEPORT` group by address and port; a classic BPF program makes it look at
//! the sender's address alone. [`of`] is the same function for packets that come from elsewhere.

use nix::libc::{sock_filter, sock_fprog};
use nix::sys::socket::{setsockopt, sockopt};
use std::net::IpAddr;
use std::os::fd::AsFd;

/// Fibonacci hashing: neighbours in a network come to lie far apart.
const SPREAD: u32 = 0x9e37_79b1;

/// The worker, of `workers`, for a sender.
pub fn of(address: IpAddr, workers: usize) -> usize {
    let folded = match address.to_canonical() {
        IpAddr::V4(address) => u32::from(address),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            (bits >> 96) as u32 ^ (bits >> 64) as u32 ^ (bits >> 32) as u32 ^ bits as u32
        }
    };
    let spread = folded.wrapping_mul(SPREAD) >> 16;
    spread as usize % workers.max(1)
}

/// Loads from here on count from the network header (`SKF_NET_OFF` in `linux/filter.h`): those from 0
/// would count from the payload.
const NETWORK: u32 = -0x10_0000_i32 as u32;

// The instructions used, as `linux/bpf_common.h` puts them together.
const LOAD_BYTE: u16 = 0x30;
const LOAD_WORD: u16 = 0x20;
const COPY_TO_X: u16 = 0x07;
const XOR_X: u16 = 0xac;
const MULTIPLY: u16 = 0x24;
const SHIFT_RIGHT: u16 = 0x74;
const MODULO: u16 = 0x94;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN_A: u16 = 0x16;

/// The same as [`of`], for the kernel: answers the place of a socket in its group.
fn program(workers: u32) -> Vec<sock_filter> {
    let step = |code, k| sock_filter { code, jt: 0, jf: 0, k };
    let mut steps = vec![
        step(LOAD_BYTE, NETWORK),
        step(SHIFT_RIGHT, 4),
        // IPv4: its one word, then over the fourteen steps for IPv6.
        sock_filter { code: JUMP_IF_EQUAL, jt: 0, jf: 2, k: 4 },
        step(LOAD_WORD, NETWORK + 12),
        sock_filter { code: 0x05, jt: 0, jf: 0, k: 10 },
        step(LOAD_WORD, NETWORK + 8),
    ];
    for word in [12, 16, 20] {
        steps.extend([step(COPY_TO_X, 0), step(LOAD_WORD, NETWORK + word), step(XOR_X, 0)]);
    }
    steps.extend([
        step(MULTIPLY, SPREAD),
        step(SHIFT_RIGHT, 16),
        step(MODULO, workers),
        step(RETURN_A, 0),
    ]);
    steps
}

/// Makes the group of `socket` ask the program. Sockets have their place in the order in which they
/// were bound.
pub fn attach(socket: &impl AsFd, workers: usize) -> nix::Result<()> {
    let mut steps = program(u32::try_from(workers).unwrap_or(u32::MAX));
    let program = sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    setsockopt(socket, sockopt::AttachReusePortCbpf, &program)
}
