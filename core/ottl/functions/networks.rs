//! Converters of addresses.

use std::net::IpAddr;

use ring::digest;

use super::given::{expected, int, text};
use super::{Converter, Parameter, Refusal, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[COMMUNITY_ID, IS_IN_CIDR];

/// `CommunityID("10.0.0.1", 1234, "10.0.0.2", 80, "UDP")`: the hash that both directions of a flow share.
const COMMUNITY_ID: Converter = Converter {
    name: "CommunityID",
    parameters: &[
        Parameter::needed("source_ip", Takes::String),
        Parameter::needed("source_port", Takes::Int),
        Parameter::needed("destination_ip", Takes::String),
        Parameter::needed("destination_port", Takes::Int),
        Parameter::optional("protocol", Takes::String),
        Parameter::optional("seed", Takes::Int),
    ],
    gives: Type::String,
    make: |_| {
        Ok(Run::values(|values| {
            let (from, to) = (end(values, 0)?, end(values, 2)?);
            let protocol = protocol(if values[4].is_nil() { "TCP" } else { text(values, 4) })?;
            let seed = u16::try_from(int(values, 5)).map_err(|_| EvalError::because("a seed is from 0 to 65535"))?;
            Ok(Value::from(community_id(from, to, protocol, seed)))
        }))
    },
};

/// One end of a flow.
type End = (Vec<u8>, u16);

fn end(values: &[Value<'_>], place: usize) -> Result<End, EvalError> {
    let ip: IpAddr = text(values, place).parse().map_err(|_| EvalError::because("the text is no IP address"))?;
    let port = u16::try_from(int(values, place + 1)).map_err(|_| EvalError::because("a port is from 0 to 65535"))?;
    let bytes = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    Ok((bytes, port))
}

fn protocol(name: &str) -> Result<u8, EvalError> {
    Ok(match name {
        "ICMP" => 1,
        "TCP" => 6,
        "UDP" => 17,
        "RSVP" => 46,
        "ICMP6" => 58,
        "SCTP" => 132,
        _ => return Err(EvalError::because("a protocol is ICMP, TCP, UDP, RSVP, ICMP6 or SCTP")),
    })
}

/// The shorter address comes first, then the smaller one, then the smaller port.
fn community_id(from: End, to: End, protocol: u8, seed: u16) -> String {
    let key = |(address, port): &End| (address.len(), address.clone(), *port);
    let (first, second) = if key(&from) > key(&to) { (to, from) } else { (from, to) };
    let mut flow = seed.to_be_bytes().to_vec();
    flow.extend(first.0);
    flow.extend(second.0);
    flow.extend([protocol, 0]);
    flow.extend(first.1.to_be_bytes());
    flow.extend(second.1.to_be_bytes());
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &flow);
    let mut out = b"1:".to_vec();
    crate::telemetry::json::put_base64(&mut out, hash.as_ref());
    String::from_utf8(out).unwrap_or_default()
}

/// `IsInCIDR("10.1.2.3", ["10.0.0.0/8"])`: whether an address lies in one of the networks. What is no address lies in none.
const IS_IN_CIDR: Converter = Converter {
    name: "IsInCIDR",
    parameters: &[Parameter::needed("target", Takes::String), Parameter::needed("networks", Takes::List)],
    gives: Type::Bool,
    make: |arguments| {
        let network = |text: String| {
            let wrong = || Refusal::of("networks", format!("\"{text}\" is no network"), "write one such as 10.0.0.0/8 or 2001:db8::/32");
            Network::read(&text).ok_or_else(wrong)
        };
        let known = arguments.texts("networks")?.map(|texts| texts.into_iter().map(network).collect::<Result<Vec<_>, _>>()).transpose()?;
        Ok(Run::values(move |values| {
            let Ok(ip) = text(values, 0).parse::<IpAddr>() else { return Ok(Value::Bool(false)) };
            if let Some(known) = &known {
                return Ok(Value::Bool(known.iter().any(|network| network.holds(ip))));
            }
            let Value::List(list) = &values[1] else { return Err(expected(Type::List, &values[1])) };
            for network in list.iter() {
                let text = network.as_str().ok_or_else(|| expected(Type::String, &network))?;
                if Network::read(text).ok_or_else(|| EvalError::because("the text is no network"))?.holds(ip) {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }))
    },
};

/// The addresses that begin with the same bits.
struct Network {
    bits: u128,
    mask: u128,
    is_v4: bool,
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()))?;
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let rest = u32::checked_sub(width, length)?;
        // A network of mapped addresses is one of IPv4.
        let (bits, is_v4) = bits(address);
        let mask = if rest >= 128 { 0 } else { u128::MAX << rest };
        Some(Self { bits: bits & mask, mask, is_v4 })
    }

    fn holds(&self, ip: IpAddr) -> bool {
        let (bits, is_v4) = bits(ip);
        is_v4 == self.is_v4 && bits & self.mask == self.bits
    }
}

fn bits(ip: IpAddr) -> (u128, bool) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)), true),
        IpAddr::V6(ip) => (u128::from(ip), false),
    }
}
