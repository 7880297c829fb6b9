//! Arrow record batches: the same columns, typed, with nulls.

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

use crate::access::record::{Column, Kind, Record, Visitor};
use crate::columns::Target;

/// The schema of a kind of record.
pub fn schema(columns: &[Column]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Text | Kind::Json => DataType::Utf8,
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Ints => DataType::new_list(DataType::Int64, true),
        };
        Field::new(column.name, kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Ints(ListBuilder<Int64Builder>),
}

/// Gathers records into batches.
pub struct Batch {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
    at: usize,
}

impl Batch {
    pub fn new(columns: &[Column]) -> Self {
        let builders = columns.iter().map(|column| match column.kind {
            Kind::Text | Kind::Json => Builder::Text(StringBuilder::new()),
            Kind::Int => Builder::Int(Int64Builder::new()),
            Kind::Float => Builder::Float(Float64Builder::new()),
            Kind::Bool => Builder::Bool(BooleanBuilder::new()),
            Kind::Ints => Builder::Ints(ListBuilder::new(Int64Builder::new())),
        });
        Self { schema: schema(columns), builders: builders.collect(), rows: 0, at: 0 }
    }

    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The records so far, and an empty batch to go on with.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let arrays = self.builders.iter_mut().map(|builder| -> ArrayRef {
            match builder {
                Builder::Text(builder) => Arc::new(builder.finish()),
                Builder::Int(builder) => Arc::new(builder.finish()),
                Builder::Float(builder) => Arc::new(builder.finish()),
                Builder::Bool(builder) => Arc::new(builder.finish()),
                Builder::Ints(builder) => Arc::new(builder.finish()),
            }
        });
        RecordBatch::try_new(self.schema.clone(), arrays.collect())
    }

    fn builder(&mut self) -> Option<&mut Builder> {
        self.at += 1;
        self.builders.get_mut(self.at - 1)
    }
}

impl Target for Batch {
    fn push(&mut self, record: &impl Record) {
        self.at = 0;
        record.visit(self);
        self.rows += 1;
    }
}

impl Visitor for Batch {
    fn text(&mut self, value: Option<&str>) {
        if let Some(Builder::Text(builder)) = self.builder() {
            builder.append_option(value);
        }
    }

    fn int(&mut self, value: Option<i64>) {
        if let Some(Builder::Int(builder)) = self.builder() {
            builder.append_option(value);
        }
    }

    fn float(&mut self, value: Option<f64>) {
        if let Some(Builder::Float(builder)) = self.builder() {
            builder.append_option(value);
        }
    }

    fn boolean(&mut self, value: Option<bool>) {
        if let Some(Builder::Bool(builder)) = self.builder() {
            builder.append_option(value);
        }
    }

    fn ints(&mut self, value: Option<&[Option<i64>]>) {
        if let Some(Builder::Ints(builder)) = self.builder() {
            builder.append_option(value.map(|numbers| numbers.iter().copied()));
        }
    }

    fn json(&mut self, value: Option<&str>) {
        self.text(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::record::FileAccess;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    #[test]
    fn batches_hold_the_records_and_start_anew() {
        let mut batch = Batch::new(&FileAccess::table());
        batch.push(&FileAccess {
            path: Some("/a"),
            open_seen: Some(true),
            ..FileAccess::default()
        });
        batch.push(&FileAccess::default());
        let taken = batch.take().expect("columns of one length");
        let path = taken.column_by_name("path").expect("path").as_string::<i32>().clone();
        assert_eq!((taken.num_rows(), path.value(0), path.is_null(1)), (2, "/a", true));
        assert_eq!((batch.rows(), batch.take().expect("empty").num_rows()), (0, 0));
    }
}
