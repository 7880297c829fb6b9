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
