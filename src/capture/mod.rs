#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    Ip(std::net::IpAddr),
    Name(std::sync::Arc<str>),
}
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    pub host: Host,
    pub port: Option<u16>,
}

pub struct Datagram<'a> {
    pub payload: &'a [u8],
    pub peer: Option<Peer>,
    pub destination_port: Option<u16>,
    pub received_at: Option<u64>,
    pub number: u64,
    pub offset: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFault {
    pub kind: crate::error::FaultKind,
    pub number: u64,
    pub offset: u64,
    pub context: &'static str,
}
pub trait Source {
    fn next(
        &mut self,
        faults: &mut dyn FnMut(SourceFault),
    ) -> std::io::Result<Option<Datagram<'_>>>;
    fn position(&self) -> u64;
}
