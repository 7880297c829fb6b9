//! The documented packet classes, made from what the core decodes.
//!
//! | file       | classes                                                           |
//! |------------|-------------------------------------------------------------------|
//! | `record`   | what all of them are                                              |
//! | `typeobject` | the types behind them                                           |
//! | `values`   | Python values from wire values                                    |
//! | `refcount` | counting references in place                                      |
//! | `frame`    | what they share with xrootdlib: `from_buffer`, `struct_parser`    |
//! | `whole`    | `Packet`, `Header`, and what nobody has defined                   |
//! | `map`      | `Map` and its payloads                                            |
//! | `fstat`    | `Fstat` and the `File...` and `Stat...` records                   |
//! | `trace`    | `Buff` and its records                                            |
//! | `redirect` | `Burr` and its entries                                            |
//! | `plugin`   | `Plugin`; the events are Python classes                           |
//! | `text`     | `TextGstream`, `Summary`                                          |

#[macro_use]
pub mod record;
#[macro_use]
mod frame;
mod fstat;
mod map;
mod plugin;
mod redirect;
mod refcount;
mod text;
mod trace;
pub mod typeobject;
pub mod values;
pub mod whole;

use pyo3::prelude::*;

use whole::unknown_record;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    values::prepare(module.py());
    trace::register(module)?;
    fstat::register(module)?;
    redirect::register(module)?;
    map::register(module)?;
    plugin::register(module)?;
    text::register(module)?;
    whole::register(module)
}
