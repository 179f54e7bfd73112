//! CreateFunction.

use lamina_types::limits::{MEMORY_MIB_DEFAULT, TIMEOUT_S_DEFAULT};
use lamina_types::records::Configuration;
use lamina_types::units::MemoryMib;
use lamina_types::{FunctionName, LogFormat};

use super::code::{self, ARCHITECTURES};
use super::members::Members;
use crate::error::Invalid;
use crate::naming::{self, Owner, Shape};
use crate::object::Object;
use crate::tags::{self, Tags};
use crate::violation::{Violations, enum_constraint};

const OPERATION: &str = "CreateFunction";

/// CreateFunction's body.
#[derive(Debug, Clone)]
pub struct CreateFunction {
    /// The function's name.
    pub name: FunctionName,
    /// Its configuration, defaults filled in.
    pub configuration: Configuration,
    /// The upload.
    pub code: Vec<u8>,
    /// Its tags, `lamina:*` settings among them.
    pub tags: Tags,
    /// Whether version 1 is made at once.
    pub publish: bool,
}

impl CreateFunction {
    /// Reads and checks a body.
    pub fn parse(body: &[u8], owner: &Owner) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let name = body.text("FunctionName")?;
        violations.required("functionName", name.as_ref());
        naming::check(name.as_ref(), Shape::Plain, &mut violations);
        let mut members = Members::take(&mut body, &mut violations, OPERATION)?;
        violations.required("role", members.role.as_ref());
        let given = code::take_nested(&mut body, &mut violations, OPERATION)?;
        let package_type = body.text("PackageType")?;
        violations.one_of("packageType", package_type.as_ref(), &["Zip", "Image"]);
        let architectures = body.texts("Architectures")?;
        violations.count("architectures", architectures.as_ref(), 1);
        let known = |value: &str| ARCHITECTURES.contains(&value);
        violations.each("architectures", architectures.as_ref(), known, &enum_constraint(ARCHITECTURES));
        let tags = body.text_map("Tags")?.unwrap_or_default();
        let publish = body.boolean("Publish")?.unwrap_or(false);
        for name in ["PublishTo", "CodeSigningConfigArn"] {
            if body.text(name)?.is_some_and(|value| !value.is_empty()) {
                members.refuse(Invalid::not_yet(name, "leave it out"));
            }
        }
        violations.finish()?;
        body.finish(OPERATION)?;

        if package_type.as_deref() == Some("Image") {
            return Err(Invalid::not_yet("PackageType Image", "give the component or a zip as Code.ZipFile"));
        }
        members.check()?;
        tags::check(&tags)?;
        let name = naming::created(&name.unwrap_or_default(), owner)?;
        let (Some(runtime), Some(handler)) = (members.runtime.take(), members.handler.take()) else {
            return Err(Invalid::Parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.".into(),
            ));
        };
        let log_format = LogFormat::Text.changed(members.log_format);
        let log_format = log_format.map_err(|error| Invalid::Parameter(error.to_string()))?;
        let configuration = Configuration {
            runtime,
            role: members.role.take().unwrap_or_default(),
            handler,
            description: members.description.take().unwrap_or_default(),
            timeout_s: members.timeout_s().unwrap_or(TIMEOUT_S_DEFAULT),
            memory: members.memory().unwrap_or(MemoryMib(MEMORY_MIB_DEFAULT)),
            environment: members.environment.take(),
            architecture: architectures.and_then(|mut list| list.pop()).unwrap_or_else(|| "x86_64".into()),
            log_group: members.log_group.take(),
            log_format,
            snap_start: members.snap_start.unwrap_or(false),
        };
        Ok(Self { name, configuration, code: given.required()?, tags, publish })
    }
}
