//! How records name and show their columns.
//!
//! A record lists its columns once. Python attributes, JSON keys, Arrow and CSV columns all come
//! from that list, so that one thing has one name everywhere. A column whose fact nobody sent is
//! `None`: never 0, never an empty text.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Float,
    Bool,
    /// A list of whole numbers, some of which may not be known.
    Ints,
    /// A JSON value as text.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// Tells what a group of cells holds from whatever any group ever held: two groups with the same stamp
/// hold the same. The default belongs to groups that nobody stamped, and says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(u64);

impl Stamp {
    /// One that nothing had before, in the whole process: what is remembered under a stamp may outlive
    /// whoever gave it.
    pub fn fresh() -> Self {
        static NEWEST: AtomicU64 = AtomicU64::new(0);
        Self(NEWEST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// From 1 on and without gaps; `None` of the default.
    pub fn number(self) -> Option<u64> {
        Some(self.0).filter(|number| *number != 0)
    }
}

/// Receives the cells of a record in the order of its columns.
pub trait Visitor {
    /// A group of cells that many records share. Who has met its stamp before need not look inside.
    #[inline]
    fn group<G: Group>(&mut self, group: &G)
    where
        Self: Sized,
    {
        group.visit_cells(self);
    }

    fn text(&mut self, value: Option<&str>);
    fn int(&mut self, value: Option<i64>);
    fn float(&mut self, value: Option<f64>);
    fn boolean(&mut self, value: Option<bool>);
    fn ints(&mut self, value: Option<&[Option<i64>]>);
    fn json(&mut self, value: Option<&str>);
}

/// A cell, or a group of cells that several records share.
pub trait Cells {
    fn columns(name: &'static str, out: &mut Vec<Column>);
    fn visit(&self, visitor: &mut impl Visitor);
}

/// Cells that stand together in several kinds of record.
pub trait Group {
    /// How many they are.
    const CELLS: usize;

    fn stamp(&self) -> Stamp;
    fn visit_cells(&self, visitor: &mut impl Visitor);
}

/// JSON as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(pub &'a str);

macro_rules! cell {
    ($type:ty, $kind:ident, $method:ident, $value:ident => $expression:expr) => {
        impl Cells for Option<$type> {
            fn columns(name: &'static str, out: &mut Vec<Column>) {
                out.push(Column { name, kind: Kind::$kind });
            }

            #[inline]
            fn visit(&self, visitor: &mut impl Visitor) {
                let $value = *self;
                visitor.$method($expression);
            }
        }
    };
}

cell!(&str, Text, text, value => value);
cell!(i64, Int, int, value => value);
cell!(f64, Float, float, value => value);
cell!(bool, Bool, boolean, value => value);
cell!(&[Option<i64>], Ints, ints, value => value);
cell!(Json<'_>, Json, json, value => value.map(|json| json.0));

/// A kind of record.
pub trait Record: Cells {
    /// The name of the class, and of the command line's `--what`.
    const NAME: &'static str;

    fn table() -> Vec<Column> {
        let mut out = Vec::new();
        Self::columns("", &mut out);
        out
    }
}

/// Takes the records of one kind.
pub trait Target {
    fn push(&mut self, record: &impl Record);
}

macro_rules! columns {
    (@cells $name:ident { $($field:ident: $type:ty,)* }) => {
        fn columns(_: &'static str, out: &mut Vec<$crate::columns::Column>) {
            $(<$type as $crate::columns::Cells>::columns(stringify!($field), out);)*
        }
    };
    ($(#[$doc:meta])* group $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<'a> {
            pub stamp: $crate::columns::Stamp,
            $($(#[$note])* pub $field: $type,)*
        }

        impl<'a> $crate::columns::Cells for $name<'a> {
            $crate::columns::columns! { @cells $name { $($field: $type,)* } }

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::columns::Visitor) {
                visitor.group(self);
            }
        }

        impl<'a> $crate::columns::Group for $name<'a> {
            const CELLS: usize = [$(stringify!($field)),*].len();

            #[inline]
            fn stamp(&self) -> $crate::columns::Stamp {
                self.stamp
            }

            #[inline]
            fn visit_cells(&self, visitor: &mut impl $crate::columns::Visitor) {
                $($crate::columns::Cells::visit(&self.$field, visitor);)*
            }
        }
    };
    (
        $(#[$doc:meta])*
        record $name:ident $label:literal { $($(#[$note:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<'a> { $($(#[$note])* pub $field: $type,)* }

        impl<'a> $crate::columns::Cells for $name<'a> {
            $crate::columns::columns! { @cells $name { $($field: $type,)* } }

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::columns::Visitor) {
                $($crate::columns::Cells::visit(&self.$field, visitor);)*
            }
        }

        impl $crate::columns::Record for $name<'_> {
            const NAME: &'static str = $label;
        }
    };
}

pub(crate) use columns;
