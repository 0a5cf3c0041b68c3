//! Text that stands for bytes, and bytes that are text in another encoding.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;

use super::given::text;
use super::{Arguments, Converter, MOST_BYTES, Parameter, Refusal, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::text::hex;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[BASE64_ENCODE, DECODE, HEX, SPAN_ID, TRACE_ID];

const ANYTHING: &[Parameter] = &[Parameter::needed("target", Takes::Any)];

/// `Base64Encode("hi", "base64-raw-url")`: `base64` (the default), `base64-raw` without padding, `base64-url`, `base64-raw-url`.
const BASE64_ENCODE: Converter = Converter {
    name: "Base64Encode",
    parameters: &[Parameter::needed("target", Takes::String), Parameter::optional("variant", Takes::String)],
    gives: Type::String,
    make: |arguments| {
        let is_given = arguments.has("variant");
        Ok(Run::values(move |values| {
            let name = if is_given && !values[1].is_nil() { text(values, 1) } else { "base64" };
            let variant = base64_variant(name).ok_or_else(|| EvalError::because("there is no such variant of base64"))?;
            Ok(Value::from(variant.encode(text(values, 0))))
        }))
    },
};

static PADDED: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, base64_config(true));
static RAW: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, base64_config(false));
static URL_PADDED: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, base64_config(true));
static URL_RAW: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, base64_config(false));

const fn base64_config(padded: bool) -> GeneralPurposeConfig {
    let padding = if padded { DecodePaddingMode::RequireCanonical } else { DecodePaddingMode::RequireNone };
    // What is left over in the last digit says nothing, and the Collector does not look at it.
    GeneralPurposeConfig::new().with_encode_padding(padded).with_decode_padding_mode(padding).with_decode_allow_trailing_bits(true)
}

fn base64_variant(name: &str) -> Option<&'static GeneralPurpose> {
    Some(match name {
        "base64" => &PADDED,
        "base64-raw" => &RAW,
        "base64-url" => &URL_PADDED,
        "base64-raw-url" => &URL_RAW,
        _ => return None,
    })
}

/// `Decode("aGk=", "base64")` is `"hi"`: base64 in any variant, or text in an encoding such as `utf-16`, `iso-8859-1`, `shift_jis`.
const DECODE: Converter = Converter {
    name: "Decode",
    parameters: &[Parameter::needed("target", Takes::Any), Parameter::needed("encoding", Takes::String)],
    gives: Type::String,
    make: |arguments| {
        if let Some(name) = arguments.text("encoding")
            && Decoder::named(name).is_none()
        {
            let wrong = format!("there is no encoding \"{name}\"");
            return Err(Refusal::of("encoding", wrong, "write base64, base64-url, utf-8, utf-16, iso-8859-1, ..."));
        }
        let known = arguments.text("encoding").and_then(Decoder::named);
        Ok(Run::values(move |values| {
            let named;
            let decoder = if let Some(known) = &known {
                known
            } else {
                named = Decoder::named(text(values, 1)).ok_or_else(|| EvalError::because("there is no such encoding"))?;
                &named
            };
            match &values[0] {
                Value::String(text) => decoder.decode(text.as_bytes()),
                Value::Bytes(bytes) => decoder.decode(bytes),
                other => Err(super::given::expected(Type::String, other)),
            }
        }))
    },
};

enum Decoder {
    Base64(&'static GeneralPurpose),
    /// Bytes are the first 256 characters.
    Latin1,
    /// Code page 437 and 850 are of a time before the web, and its encodings do without them.
    Dos(&'static str),
    Text(&'static Encoding),
}

impl Decoder {
    fn named(name: &str) -> Option<Self> {
        if let Some(variant) = base64_variant(name) {
            return Some(Decoder::Base64(variant));
        }
        let name = name.to_ascii_lowercase();
        Some(match &*name {
            "" | "nop" | "ascii" | "us-ascii" | "utf8-raw" | "utf-8-raw" | "utf8" => Decoder::Text(encoding_rs::UTF_8),
            "utf16" | "utf-16" => Decoder::Text(encoding_rs::UTF_16LE),
            "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" => Decoder::Latin1,
            "cp437" | "ibm437" | "437" => Decoder::Dos(CP437),
            "cp850" | "ibm850" | "850" => Decoder::Dos(CP850),
            // `replacement` is how the web forgets encodings that it thinks dangerous.
            other => Decoder::Text(Encoding::for_label(other.as_bytes()).filter(|found| *found != encoding_rs::REPLACEMENT)?),
        })
    }

    fn decode<'a>(&self, bytes: &[u8]) -> Result<Value<'a>, EvalError> {
        let text = match self {
            Decoder::Base64(variant) => {
                let bytes: Cow<'_, [u8]> = if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                    bytes.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect::<Vec<_>>().into()
                } else {
                    bytes.into()
                };
                let decoded = variant.decode(&*bytes).map_err(|_| EvalError::because("the text is no base64 of that variant"))?;
                String::from_utf8(decoded).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
            }
            Decoder::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Decoder::Dos(upper) => bytes
                .iter()
                .filter_map(|byte| if byte.is_ascii() { Some(char::from(*byte)) } else { upper.chars().nth(usize::from(byte - 128)) })
                .collect(),
            Decoder::Text(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        };
        if text.len() > MOST_BYTES { Err(super::given::too_long()) } else { Ok(Value::from(text)) }
    }
}

/// The upper halves.
const CP437: &str =
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// `Hex("1")` is `"31"`; numbers are their eight bytes, big end first. Of `nil` it is empty.
const HEX: Converter = Converter {
    name: "Hex",
    parameters: ANYTHING,
    gives: Type::String,
    make: |_| Ok(Run::values(|values| Ok(Value::from(hex(&bytes_like(&values[0])?))))),
};

/// What a value is in bytes.
fn bytes_like<'v>(value: &'v Value<'_>) -> Result<Cow<'v, [u8]>, EvalError> {
    Ok(match value {
        Value::Nil => Cow::Borrowed(&[]),
        Value::Bool(truth) => Cow::Owned(vec![u8::from(*truth)]),
        Value::Int(number) => Cow::Owned(number.to_be_bytes().to_vec()),
        Value::Float(number) => Cow::Owned(number.to_be_bytes().to_vec()),
        Value::String(text) => Cow::Borrowed(text.as_bytes()),
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        other => return Err(super::given::expected(Type::Bytes, other)),
    })
}

/// `SpanID(0x0000000000000000)`, or sixteen hexadecimal digits in quotes.
const SPAN_ID: Converter = id("SpanID", |_| of_length::<8>());
/// `TraceID("0af7651916cd43dd8448eb211c80319c")`, or sixteen bytes.
const TRACE_ID: Converter = id("TraceID", |_| of_length::<16>());

const fn id(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: ANYTHING, gives: Type::Bytes, make }
}

fn of_length<const LENGTH: usize>() -> Result<Run, Refusal> {
    Ok(Run::values(|values| {
        let given = bytes_like(&values[0])?;
        if given.len() == LENGTH {
            return Ok(Value::Bytes(Cow::Owned(given.into_owned())));
        }
        let digits = given.iter().map(|digit| char::from(*digit).to_digit(16)).collect::<Option<Vec<_>>>();
        match digits {
            Some(digits) if digits.len() == 2 * LENGTH => {
                let byte = |pair: &[u32; 2]| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or(0);
                Ok(Value::Bytes(Cow::Owned(digits.as_chunks::<2>().0.iter().map(byte).collect())))
            }
            _ => Err(EvalError::because(format!("an id is {LENGTH} bytes, or {} hexadecimal digits", 2 * LENGTH))),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_halves_are_whole() {
        assert_eq!((CP437.chars().count(), CP850.chars().count()), (128, 128));
    }

    #[test]
    fn short_encodings_are_not_forgotten() {
        assert!(Decoder::named("hz-gb-2312").is_none());
        assert!(Decoder::named("iso-2022-kr").is_none());
        assert!(Decoder::named("gb18030").is_some());
    }
}
