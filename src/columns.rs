//! How records name and show their columns.
//!
//! A record lists its columns once. Python attributes, JSON keys, Arrow and CSV columns all come
//! from that list, so that one thing has one name everywhere. A column whose fact nobody sent is
//! `None`: never 0, never an empty text.

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

/// Receives the cells of a record in the order of its columns.
pub trait Visitor {
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
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name<'a> { $($(#[$note])* pub $field: $type,)* }

        impl<'a> $crate::columns::Cells for $name<'a> {
            fn columns(_: &'static str, out: &mut Vec<$crate::columns::Column>) {
                $(<$type as $crate::columns::Cells>::columns(stringify!($field), out);)*
            }

            #[inline]
            fn visit(&self, visitor: &mut impl $crate::columns::Visitor) {
                $($crate::columns::Cells::visit(&self.$field, visitor);)*
            }
        }
    };
    ($(#[$doc:meta])* record $name:ident $label:literal { $($body:tt)* }) => {
        $crate::columns::columns! { $(#[$doc])* $name { $($body)* } }

        impl $crate::columns::Record for $name<'_> {
            const NAME: &'static str = $label;
        }
    };
}

pub(crate) use columns;
