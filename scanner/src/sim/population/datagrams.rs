//! Services over UDP in a population file: texts that go out as datagrams, or the objects of an SNMP agent.

use encoding_rs::Encoding;
use serde::Deserialize;
use toml::Spanned;

use super::{Mistake, mistake, template};
use crate::sim::agent::{Agent, Value};
use crate::sim::datagrams::{DatagramAnswers, DatagramText};
use crate::sim::template::Variables;

/// A datagram of a device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatagramSource {
    #[serde(default)]
    to: String,
    text: Spanned<String>,
}

/// What an SNMP agent answers with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentSource {
    #[serde(default = "versions")]
    versions: Spanned<Vec<String>>,
    engine: Option<Spanned<String>>,
    #[serde(default)]
    object: Vec<ObjectSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectSource {
    id: Spanned<String>,
    text: Option<Spanned<String>>,
    number: Option<i32>,
    object_id: Option<Spanned<String>>,
}

const VERSIONS: [&str; 2] = ["v1", "v2c"];
/// Numbers of an object id of ours.
const ARCS_MAX: usize = 32;

fn versions() -> Spanned<Vec<String>> {
    Spanned::new(0..0, VERSIONS.map(String::from).to_vec())
}

/// The answers of a service that travels in datagrams. Absent when the file gives none.
pub(super) fn datagram_answers(
    at: usize,
    datagrams: Vec<DatagramSource>,
    agent: Option<AgentSource>,
    charset: &'static Encoding,
    variables: &Variables,
) -> Result<Option<DatagramAnswers>, Mistake> {
    match (datagrams.is_empty(), agent) {
        (true, None) => Ok(None),
        (true, Some(source)) => Ok(Some(DatagramAnswers::Agent(agent_of(source, charset, variables)?))),
        (false, None) => {
            let text =
                |source: DatagramSource| Ok(DatagramText { to: source.to.into_bytes(), text: template(&source.text, charset, variables)? });
            Ok(Some(DatagramAnswers::Texts(datagrams.into_iter().map(text).collect::<Result<_, _>>()?)))
        }
        (false, Some(_)) => mistake(at, "a service answers with [[device.service.datagram]] or as an [device.service.agent], not both"),
    }
}

fn agent_of(source: AgentSource, charset: &'static Encoding, variables: &Variables) -> Result<Agent, Mistake> {
    let at = source.versions.span().start;
    let versions = source.versions.into_inner();
    if let Some(strange) = versions.iter().find(|version| !VERSIONS.contains(&version.as_str())) {
        return mistake(at, format!("`{strange}` is not a version of SNMP with a community: expected v1 or v2c"));
    }
    let versions = (0..).zip(VERSIONS).filter(|(_, name)| versions.iter().any(|version| version == name)).map(|(number, _)| number);
    let engine = source.engine.map(|engine| template(&engine, charset, variables)).transpose()?;
    let objects = source.object.into_iter().map(|object| {
        object_id(&object.id)?;
        let value = match (object.text, object.number, object.object_id) {
            (Some(text), None, None) => Value::Text(template(&text, charset, variables)?),
            (None, Some(number), None) => Value::Number(number),
            (None, None, Some(id)) => Value::ObjectId(object_id(&id)?),
            _ => return mistake(object.id.span().start, "an object has either a `text`, or a `number`, or an `object_id`"),
        };
        Ok((object.id.into_inner(), value))
    });
    Ok(Agent { versions: versions.collect(), engine, objects: objects.collect::<Result<_, _>>()? })
}

fn object_id(source: &Spanned<String>) -> Result<Vec<u32>, Mistake> {
    let arcs: Result<Vec<u32>, _> = source.get_ref().split('.').map(str::parse).collect();
    match arcs {
        Ok(arcs) if (2..=ARCS_MAX).contains(&arcs.len()) && arcs[0] <= 2 && arcs[1] < 40 => Ok(arcs),
        _ => mistake(source.span().start, format!("`{}` is not an object id such as 1.3.6.1.2.1.1.1.0", source.get_ref())),
    }
}
