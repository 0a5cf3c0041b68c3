//! Shows an item to an expression.

use std::cell::OnceCell;
use std::cmp::Ordering;

use smallvec::SmallVec;

use super::checked::{Call, Expr, Slot, Test};
use super::functions::{Parameter, Run};
use super::place::{Place, enter_result};
use super::problem::EvalError;
use super::scene::Scene;
use super::tree::{CompareOp, MathOp};
use super::value::{List, Map, Value};
use crate::telemetry::ValueRef;

/// The attributes of an item that a list of expressions reads: found together, in one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    keys: Vec<Box<[u8]>>,
    /// Bit `n` is set when a key has `n` bytes: most attributes are passed over by it.
    lengths: u64,
}

impl Keys {
    /// The most that are found together; what is read beyond looks for itself.
    pub(super) const MOST: usize = 32;

    /// The slot of a key, which is added where it is new.
    pub(super) fn slot(&mut self, key: &str) -> Slot {
        let known = self.keys.iter().position(|known| **known == *key.as_bytes());
        let place = known.unwrap_or(self.keys.len());
        if place >= Self::MOST {
            return Slot::NONE;
        }
        if known.is_none() {
            self.keys.push(key.as_bytes().into());
            self.lengths |= 1 << (key.len() & 63);
        }
        Slot(place as u8)
    }

    #[inline]
    fn find<'a>(&self, scene: &Scene<'a>) -> Found<'a> {
        let mut found: Found<'a> = SmallVec::from_elem(None, self.keys.len());
        let Some(item) = scene.item() else { return found };
        let mut left = self.keys.len();
        for attribute in item.attributes() {
            if self.lengths >> (attribute.key.len() & 63) & 1 == 0 {
                continue;
            }
            let known = self.keys.iter().position(|key| **key == *attribute.key);
            if let Some(slot) = known.and_then(|place| found.get_mut(place)).filter(|slot| slot.is_none()) {
                *slot = Some(attribute.value());
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        found
    }
}

type Found<'a> = SmallVec<[Option<ValueRef<'a>>; 12]>;

/// A scene, and what was found in it so far.
pub(super) struct Look<'a> {
    pub(super) scene: Scene<'a>,
    keys: &'a Keys,
    found: OnceCell<Found<'a>>,
    /// The tests that are remembered with contexts, and their outcomes for this one.
    shared: &'a [Test],
    outcomes: Outcomes,
}

/// The outcomes of up to 32 tests, two bits each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes(u64);

impl Outcomes {
    /// How many fit.
    pub(super) const MOST: usize = 32;
    const TRUE: u64 = 1;
    const FAILED: u64 = 2;

    /// Whether any holds; `None` where one fails.
    #[inline]
    pub(super) fn any(self) -> Option<bool> {
        const ALL_FAILED: u64 = u64::MAX / 3 * 2;
        (self.0 & ALL_FAILED == 0).then_some(self.0 != 0)
    }

    /// Those of tests that look at nothing but what items share.
    pub(super) fn of(tests: &[Test], scene: &Scene<'_>) -> Self {
        let none = Keys::default();
        let look = Look::new(*scene, &none);
        let bits = tests.iter().enumerate().map(|(place, test)| match test.holds(&look) {
            Ok(false) => 0,
            Ok(true) => Self::TRUE << (2 * place),
            Err(_) => Self::FAILED << (2 * place),
        });
        Outcomes(bits.fold(0, |all, bit| all | bit))
    }
}

impl<'a> Look<'a> {
    /// At a scene, with nothing remembered.
    #[inline(always)]
    pub(super) fn new(scene: Scene<'a>, keys: &'a Keys) -> Self {
        Self::remembering(scene, keys, &[], Outcomes::default())
    }

    #[inline(always)]
    pub(super) fn remembering(scene: Scene<'a>, keys: &'a Keys, shared: &'a [Test], outcomes: Outcomes) -> Self {
        Self { scene, keys, found: OnceCell::new(), shared, outcomes }
    }

    #[inline]
    fn slot(&self, slot: Slot) -> Option<ValueRef<'a>> {
        let found = self.found.get_or_init(|| self.keys.find(&self.scene));
        found.get(usize::from(slot.0)).copied().flatten()
    }

    /// What a path reads, in place; `None` where that takes more.
    #[inline]
    fn read_ref(&self, place: &'a Place, slot: Slot) -> Option<ValueRef<'a>> {
        if slot != Slot::NONE && place.keys.len() == 1 {
            return Some(self.slot(slot).unwrap_or(ValueRef::Empty));
        }
        place.read_ref(&self.scene)
    }

    fn remembered(&self, number: usize) -> Result<bool, EvalError> {
        match self.outcomes.0 >> (2 * number) & 3 {
            0 => Ok(false),
            Outcomes::TRUE => Ok(true),
            // What went wrong is not kept; it is found again.
            _ => self.shared.get(number).map_or(Ok(false), |test| test.holds(&Look::new(self.scene, self.keys))),
        }
    }
}

impl Test {
    /// Whether it holds. Of several, those behind the first that decides are not looked at.
    pub(super) fn holds<'a>(&'a self, look: &Look<'a>) -> Result<bool, EvalError> {
        match self {
            Test::Known(truth) => Ok(*truth),
            Test::Compare(left, op, right) => compare(left, *op, right, look),
            Test::Call(call) => match call.value(look)? {
                Value::Bool(truth) => Ok(truth),
                other => Err(EvalError::Expected { wanted: "a boolean", got: other.type_of().name() }),
            },
            Test::Not(inner) => inner.holds(look).map(|truth| !truth),
            Test::All(tests) => {
                for test in tests {
                    if !test.holds(look)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Test::Any(tests) => {
                for test in tests {
                    if test.holds(look)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Remembered(number) => look.remembered(*number),
        }
    }
}

#[inline]
fn compare<'a>(left: &'a Expr, op: CompareOp, right: &'a Expr, look: &Look<'a>) -> Result<bool, EvalError> {
    // What is read against what is known, the usual case, is compared where it lies.
    if let (Expr::Read(place, slot), Expr::Known(known)) = (left, right)
        && let Some(read) = look.read_ref(place, *slot)
        && let Some(order) = order_in_place(read, known)
    {
        return Ok(holds(op, order));
    }
    let (left, right) = (left.value(look)?, right.value(look)?);
    Ok(compared(&left, op, &right))
}

/// How a value in place stands to a known one: `None` within for two that cannot be ordered, without where it takes more to know.
#[inline]
fn order_in_place(read: ValueRef<'_>, known: &Value<'_>) -> Option<Option<Ordering>> {
    match (read, known) {
        (ValueRef::String(read), Value::String(known)) => Some(Some(read.cmp(known.as_bytes()))),
        (ValueRef::Int(read), Value::Int(known)) => Some(Some(read.cmp(known))),
        (ValueRef::Int(read), Value::Float(known)) => Some((read as f64).partial_cmp(known)),
        (ValueRef::Double(read), Value::Float(known)) => Some(read.partial_cmp(known)),
        (ValueRef::Double(read), Value::Int(known)) => Some(read.partial_cmp(&(*known as f64))),
        (ValueRef::Bool(read), Value::Bool(known)) => Some(Some(read.cmp(known))),
        (ValueRef::Empty, Value::Nil) => Some(Some(Ordering::Equal)),
        (ValueRef::List(_) | ValueRef::Map(_) | ValueRef::Bytes(_), Value::List(_) | Value::Map(_) | Value::Bytes(_)) => None,
        _ => Some(None),
    }
}

#[inline]
fn holds(op: CompareOp, order: Option<Ordering>) -> bool {
    match (op, order) {
        (CompareOp::Equal, order) => order == Some(Ordering::Equal),
        (CompareOp::NotEqual, order) => order != Some(Ordering::Equal),
        (_, None) => false,
        (CompareOp::Less, Some(order)) => order.is_lt(),
        (CompareOp::LessOrEqual, Some(order)) => order.is_le(),
        (CompareOp::Greater, Some(order)) => order.is_gt(),
        (CompareOp::GreaterOrEqual, Some(order)) => order.is_ge(),
    }
}

/// Whether a comparison of two values holds.
pub(super) fn compared(left: &Value<'_>, op: CompareOp, right: &Value<'_>) -> bool {
    match op {
        CompareOp::Equal => left.equals(right),
        CompareOp::NotEqual => !left.equals(right),
        _ => holds(op, left.order(right)),
    }
}

impl Expr {
    /// Its value for a scene.
    pub(super) fn value<'a>(&'a self, look: &Look<'a>) -> Result<Value<'a>, EvalError> {
        match self {
            Expr::Known(value) => Ok(lent(value)),
            Expr::Read(place, slot) if *slot != Slot::NONE => match look.slot(*slot) {
                Some(value) => super::place::enter_ref(value, place.keys.get(1..).unwrap_or_default()),
                None => Ok(Value::Nil),
            },
            Expr::Read(place, _) => place.read(&look.scene),
            Expr::Call(call) => call.value(look),
            Expr::Math(first, rest) => {
                let mut left = first.value(look)?;
                for (op, right) in rest {
                    left = math(&left, *op, &right.value(look)?)?;
                }
                Ok(left)
            }
            Expr::Minus(inner) => minus(&inner.value(look)?),
            Expr::List(list) => list.iter().map(|expr| expr.value(look)).collect::<Result<_, _>>().map(Value::list),
            Expr::Map(entries) => {
                let entry = |(key, expr): &'a (String, Expr)| Ok((key.as_str().into(), expr.value(look)?));
                entries.iter().map(entry).collect::<Result<_, EvalError>>().map(Value::map)
            }
        }
    }
}

/// A known value without a copy of its text.
fn lent<'a>(value: &'a Value<'static>) -> Value<'a> {
    match value {
        Value::String(text) => Value::text(text),
        Value::Bytes(bytes) => Value::Bytes(std::borrow::Cow::Borrowed(bytes)),
        Value::List(List::Made(values)) => Value::List(List::Lent(values)),
        Value::Map(Map::Made(entries)) => Value::Map(Map::Lent(entries)),
        other => other.clone(),
    }
}

/// The values of a call's arguments, each as its parameter takes it.
pub(super) fn arguments<'a>(
    parameters: &[Parameter],
    arguments: &'a [Expr],
    look: &Look<'a>,
    values: &mut Values<'a>,
) -> Result<(), EvalError> {
    for (parameter, argument) in parameters.iter().zip(arguments) {
        values.push(match argument {
            Expr::Known(known) => lent(known),
            argument => parameter.takes.fit(argument.value(look)?)?,
        });
    }
    Ok(())
}

/// The values of a call's arguments. They are large, so they are filled in where they are used and not moved there.
pub(super) type Values<'a> = SmallVec<[Value<'a>; 4]>;

/// The values of arguments that are all known.
pub(super) fn known_values<'a>(arguments: &'a [Expr]) -> Option<Values<'a>> {
    let known = |argument: &'a Expr| match argument {
        Expr::Known(known) => Some(lent(known)),
        _ => None,
    };
    arguments.iter().map(known).collect()
}

/// The value of a call whose arguments are known, and which looks at nothing else.
pub(super) fn worked_out(call: &Call) -> Result<Value<'static>, EvalError> {
    let known = |argument: &Expr| match argument {
        Expr::Known(value) => value.clone(),
        _ => Value::Nil,
    };
    let mut values: Vec<Value<'static>> = call.arguments.iter().map(known).collect();
    let value = match &call.run {
        Run::Values(work) => work(&mut values)?,
        Run::Match(pattern) => {
            let text = values.first_mut().map(std::mem::take).and_then(Value::into_text);
            Value::Bool(text.is_some_and(|text| pattern.is_match(text.as_bytes())))
        }
        Run::First => match values.first() {
            Some(Value::List(list)) => list.iter().find(|value| !value.is_nil()).unwrap_or_default(),
            _ => Value::Nil,
        },
        Run::Scene(_) => return Err(EvalError::because("it depends on more than its arguments")),
    };
    enter_result(value, &call.keys)
}

impl Call {
    fn value<'a>(&'a self, look: &Look<'a>) -> Result<Value<'a>, EvalError> {
        let mut values = Values::new();
        if matches!(self.run, Run::Values(_) | Run::Scene(_)) {
            arguments(self.converter.parameters, &self.arguments, look, &mut values)?;
        }
        let value = match &self.run {
            Run::Values(work) => work(&mut values)?,
            Run::Scene(work) => work(&look.scene, &mut values)?,
            Run::Match(pattern) => Value::Bool(self.matches(pattern, look)?),
            Run::First => self.first(look)?,
        };
        if self.keys.is_empty() { Ok(value) } else { enter_result(value, &self.keys) }
    }

    /// Those behind the first value are not worked out.
    fn first<'a>(&'a self, look: &Look<'a>) -> Result<Value<'a>, EvalError> {
        let Some(Expr::List(list)) = self.arguments.first() else {
            let list = self.arguments.first().map_or(Ok(Value::Nil), |argument| argument.value(look))?;
            let Value::List(list) = list else { return Err(EvalError::Expected { wanted: "a list", got: list.type_of().name() }) };
            return Ok(list.iter().find(|value| !value.is_nil()).unwrap_or_default());
        };
        for expr in list {
            let value = expr.value(look)?;
            if !value.is_nil() {
                return Ok(value);
            }
        }
        Ok(Value::Nil)
    }

    /// Text is matched where it lies.
    #[inline]
    fn matches<'a>(&'a self, pattern: &super::functions::Pattern, look: &Look<'a>) -> Result<bool, EvalError> {
        let Some(argument) = self.arguments.first() else { return Ok(false) };
        if let Expr::Read(place, slot) = argument {
            match look.read_ref(place, *slot) {
                Some(ValueRef::String(text)) => return Ok(pattern.is_match(text)),
                Some(ValueRef::Empty) => return Ok(false),
                _ => {}
            }
        }
        Ok(argument.value(look)?.into_text().is_some_and(|text| pattern.is_match(text.as_bytes())))
    }
}

/// Whole numbers wrap around and divide without a rest; a fraction on one side makes fractions of both. Times and durations add up.
pub(super) fn math(left: &Value<'_>, op: MathOp, right: &Value<'_>) -> Result<Value<'static>, EvalError> {
    let zero = || EvalError::because("division by zero");
    Ok(match (left, op, right) {
        (_, MathOp::Divide, Value::Int(0)) => return Err(zero()),
        (_, MathOp::Divide, Value::Float(0.0)) => return Err(zero()),
        (Value::Int(a), op, Value::Int(b)) => Value::Int(match op {
            MathOp::Add => a.wrapping_add(*b),
            MathOp::Subtract => a.wrapping_sub(*b),
            MathOp::Multiply => a.wrapping_mul(*b),
            MathOp::Divide => a.wrapping_div(*b),
        }),
        (Value::Int(_) | Value::Float(_), op, Value::Int(_) | Value::Float(_)) => {
            let (a, b) = (left.as_float().unwrap_or_default(), right.as_float().unwrap_or_default());
            Value::Float(match op {
                MathOp::Add => a + b,
                MathOp::Subtract => a - b,
                MathOp::Multiply => a * b,
                MathOp::Divide => a / b,
            })
        }
        (Value::Time(a), MathOp::Subtract, Value::Time(b)) => Value::Duration(a.wrapping_sub(*b)),
        (Value::Time(a), MathOp::Add, Value::Duration(b)) | (Value::Duration(a), MathOp::Add, Value::Time(b)) => {
            Value::Time(a.wrapping_add(*b))
        }
        (Value::Time(a), MathOp::Subtract, Value::Duration(b)) => Value::Time(a.wrapping_sub(*b)),
        (Value::Duration(a), MathOp::Add, Value::Duration(b)) => Value::Duration(a.wrapping_add(*b)),
        (Value::Duration(a), MathOp::Subtract, Value::Duration(b)) => Value::Duration(a.wrapping_sub(*b)),
        (Value::Int(_) | Value::Float(_) | Value::Time(_) | Value::Duration(_), _, other) => return Err(no_number(other)),
        (other, ..) => return Err(no_number(other)),
    })
}

fn no_number(value: &Value<'_>) -> EvalError {
    EvalError::Expected { wanted: "numbers, or a time and a duration", got: value.type_of().name() }
}

pub(super) fn minus(value: &Value<'_>) -> Result<Value<'static>, EvalError> {
    match value {
        Value::Int(number) => Ok(Value::Int(number.wrapping_neg())),
        Value::Float(number) => Ok(Value::Float(-number)),
        Value::Duration(nanos) => Ok(Value::Duration(nanos.wrapping_neg())),
        other => Err(no_number(other)),
    }
}
