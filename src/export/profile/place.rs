//! Directories of a path and domains of a host, as OSG records name them.

use serde::Deserialize;
use std::borrow::Cow;

/// What consumers group by where nothing is known.
pub(super) const UNKNOWN_DIRECTORY: &str = "unknown directory";

/// The table of collectors in use: the first prefix that matches wins, so its later `/user/dteam`
/// never does; it is kept because it is in theirs.
const DEFAULT: &[(&str, Target<'static>)] = &[
    ("/user", Target::Depth(2)),
    ("/osgconnect/public", Target::Depth(3)),
    ("/osgconnect/protected", Target::Depth(3)),
    ("/ospool/PROTECTED", Target::Depth(3)),
    ("/ospool", Target::Depth(4)),
    ("/path-facility", Target::Depth(3)),
    ("/hcc", Target::Depth(5)),
    ("/pnfs/fnal.gov/usr", Target::Depth(4)),
    ("/gwdata", Target::Depth(2)),
    ("/chtc/", Target::Name(Cow::Borrowed("/chtc"))),
    ("/icecube/", Target::Name(Cow::Borrowed("/icecube"))),
    ("/igwn", Target::Depth(3)),
    ("/store", Target::Depth(2)),
    ("/user/dteam", Target::Depth(2)),
];

/// What a prefix stands for: so many components of the path, or a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Target<'a> {
    Depth(usize),
    Name(Cow<'a, str>),
}

/// Which logical directory a path belongs to: a list of prefixes (compared as text) with a number of
/// path components or a name, as JSON `[["/user", 2], ["/chtc/", "/chtc"]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct LogicalDirnames(Vec<(String, Target<'static>)>);

impl Default for LogicalDirnames {
    fn default() -> Self {
        Self(
            DEFAULT.iter().map(|(prefix, target)| ((*prefix).to_owned(), target.clone())).collect(),
        )
    }
}

impl LogicalDirnames {
    /// What is wrong with the table, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.0.iter().find(|(_, target)| *target == Target::Depth(0)) {
            Some((prefix, _)) => {
                Err(format!("logical_dirnames: {prefix:?} needs at least 1 path component"))
            }
            None => Ok(()),
        }
    }

    /// The logical directory of a path; `short` is for paths with fewer components than wanted
    /// (without it, as many as there are).
    pub(super) fn of<'a>(&'a self, path: &'a str, short: Option<&'a str>) -> &'a str {
        let found = self.0.iter().find(|(prefix, _)| path.starts_with(prefix.as_str()));
        match found {
            Some((_, Target::Depth(depth))) => match (components(path, *depth), short) {
                (Some(directory), _) => directory,
                (None, Some(short)) => short,
                (None, None) => path,
            },
            Some((_, Target::Name(name))) => name,
            None => UNKNOWN_DIRECTORY,
        }
    }
}

/// The beginning of a path with so many components, or `None` if it has fewer.
pub(super) fn components(path: &str, count: usize) -> Option<&str> {
    let first = usize::from(path.starts_with('/'));
    let slashes = memchr::memchr_iter(b'/', path.as_bytes()).filter(|at| *at >= first);
    let end = slashes.chain([path.len()]).nth(count.checked_sub(1)?)?;
    path.get(..end).filter(|start| !start.is_empty())
}

/// A path without repeated slashes and dot segments. Nearly all paths are that already.
pub(super) fn clean(path: &str) -> Cow<'_, str> {
    let is_clean = !path.contains("//")
        && !path.contains("/.")
        && !path.starts_with('.')
        && (path.len() < 2 || !path.ends_with('/'));
    if is_clean && !path.is_empty() {
        return Cow::Borrowed(path);
    }
    let is_rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            ".." if is_rooted => {}
            part => kept.push(part),
        }
    }
    let joined = kept.join("/");
    Cow::Owned(match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    })
}

/// Whether a host in a connection descriptor is an address and not a name.
pub(super) fn is_address(host: &str) -> bool {
    address(host).parse::<std::net::IpAddr>().is_ok()
}

/// The address in a host as descriptors write it: `[::ffff:192.0.2.9]` or plain.
pub(super) fn address(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// The last two labels, or `None` where there are not two.
pub(super) fn last_labels(host: &str) -> Option<&str> {
    let mut dots = memchr::memrchr_iter(b'.', host.as_bytes());
    dots.next()?;
    host.get(dots.next().map_or(0, |dot| dot + 1)..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_prefix_that_matches_names_the_directory() {
        let table = LogicalDirnames::default();
        for (path, expected) in [
            ("/user/alice/f", "/user/alice"),
            ("/username/x", "/username/x"),
            ("/osgconnect/public/alice/f", "/osgconnect/public/alice"),
            ("/osgconnect/protected/alice/f", "/osgconnect/protected/alice"),
            ("/ospool/PROTECTED/alice/f", "/ospool/PROTECTED/alice"),
            ("/ospool/ap20/data/alice/file.root", "/ospool/ap20/data/alice"),
            ("/path-facility/data/alice/f", "/path-facility/data/alice"),
            ("/hcc/a/b/c/d/e/f", "/hcc/a/b/c/d"),
            ("/pnfs/fnal.gov/usr/dune/f", "/pnfs/fnal.gov/usr/dune"),
            ("/gwdata/O3/f", "/gwdata/O3"),
            ("/chtc/staging/f", "/chtc"),
            ("/chtc", UNKNOWN_DIRECTORY),
            ("/icecube/sim/f", "/icecube"),
            ("/igwn/ligo/frames/f", "/igwn/ligo/frames"),
            ("/store/data/f", "/store/data"),
            ("/user/dteam/f", "/user/dteam"),
            ("/other/f", UNKNOWN_DIRECTORY),
        ] {
            assert_eq!(table.of(path, None), expected, "{path}");
        }
        assert_eq!(table.of("/hcc/a", Some("/hcc/a")), "/hcc/a");
        assert_eq!(table.of("/ospool/a/b", Some("/ospool/a")), "/ospool/a");
        assert_eq!(table.of("/ospool/a/b", None), "/ospool/a/b");
    }

    #[test]
    fn the_table_can_be_another() {
        let text = r#"[["/a", 1], ["/b/", "/letters"]]"#;
        let table: LogicalDirnames = serde_json::from_str(text).expect("a table");
        assert_eq!(table.of("/ab/c", None), "/ab");
        assert_eq!(table.of("/b/c", None), "/letters");
        assert_eq!(table.of("/user/x", None), UNKNOWN_DIRECTORY);
        let zero: LogicalDirnames = serde_json::from_str(r#"[["/a", 0]]"#).expect("a table");
        assert!(zero.check().is_err());
        assert!(serde_json::from_str::<LogicalDirnames>(r#"[["/a", -1]]"#).is_err());
    }

    #[test]
    fn paths_are_cleaned() {
        for (path, expected) in [
            ("/a/b", "/a/b"),
            ("//a///b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../a", "/a"),
            ("/.hidden/f", "/.hidden/f"),
            ("a/../../b", "../b"),
            ("/", "/"),
            ("", "."),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_eq!(last_labels("wn001.example.net"), Some("example.net"));
        assert_eq!(last_labels("example.net"), Some("example.net"));
        assert_eq!(last_labels("host"), None);
        assert!(is_address("[::ffff:192.0.2.9]") && is_address("192.0.2.9"));
        assert!(!is_address("fnal.gov") && !is_address("[broken"));
    }

    #[test]
    fn components_are_counted() {
        assert_eq!(components("/a/b/c", 1), Some("/a"));
        assert_eq!(components("/a/b/c", 3), Some("/a/b/c"));
        assert_eq!(components("/a/b/c", 4), None);
        assert_eq!(components("/a", 1), Some("/a"));
        assert_eq!(components("/", 1), Some("/"));
        assert_eq!(components("//a", 1), Some("/"));
        assert_eq!(components("", 1), None);
        assert_eq!(components("a/b", 1), Some("a"));
    }
}
