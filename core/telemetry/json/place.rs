//! Where in a request the reader is. Kept on the stack of the calls that got there, so it costs nothing until a fault wants it.

use std::fmt::{self, Write as _};

use crate::telemetry::schema::Field;

/// One step down from another place.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Request,
    Field(&'static Field),
    Element(usize),
}

impl Place<'_> {
    pub(super) const REQUEST: Place<'static> = Place { above: None, step: Step::Request };
}

impl<'p> Place<'p> {
    pub(super) fn field(&'p self, field: &'static Field) -> Place<'p> {
        Place { above: Some(self), step: Step::Field(field) }
    }

    pub(super) fn element(&'p self, index: usize) -> Place<'p> {
        Place { above: Some(self), step: Step::Element(index) }
    }
}

/// `resourceSpans[0].scopeSpans[1].spans[3].traceId`
impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(out)?;
        }
        match self.step {
            Step::Request => Ok(()),
            Step::Element(index) => write!(out, "[{index}]"),
            Step::Field(field) => {
                if self.above.is_some_and(|above| !matches!(above.step, Step::Request)) {
                    out.write_char('.')?;
                }
                out.write_str(std::str::from_utf8(field.key.name()).unwrap_or(field.name))
            }
        }
    }
}
