//! A component whose core modules are one.
//!
//! What a linker makes of shared libraries is a dozen modules that import from each
//! other. The engine then looks up each of some thousand function references again for
//! every instance; within one module they are made when they are called. Calls between
//! the libraries are direct, and addresses that the linker has decided are constants.

mod module;
mod writer;

use std::collections::{HashMap, HashSet};

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{CanonicalFunctionSection, ComponentSectionId, ExportKind};
use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentType,
    ComponentTypeRef, ExternalKind, FromReader, Import, Instance, InstanceSectionReader, Parser, Payload,
    SectionLimited, TypeRef,
};

use crate::segments::{self, Sections};
use module::{Binding, Merged, Part};

/// A number for which there is nothing.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0} is not where it is used")]
struct Lost(&'static str);

fn unknown(what: impl std::fmt::Display) -> wasmtime::Error {
    wasmtime::Error::msg(format!("its modules cannot become one: {what}"))
}

/// The component, with all of its modules in one but those that need functions which in
/// turn need those modules' memory. An error when it is not well-formed, or what its
/// modules have cannot be in one.
pub(crate) fn merged(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    refuse(component)?;
    let known = Known::of(component)?;
    let plan = Plan::of(&known)?;
    if plan.parts.len() < 2 {
        return Ok(component.to_vec());
    }
    let made = plan.written(&known)?;
    let checked = wasmparser::Validator::new_with_features(crate::inspect::features()).validate_all(&made);
    checked.map_err(|error| unknown(format!("the result is not valid: {error}")))?;
    Ok(made)
}

/// Refuses what refers to modules, or to what is in them, by a number that would not be
/// changed.
fn refuse(component: &[u8]) -> wasmtime::Result<()> {
    for payload in Parser::new(0).parse_all(component) {
        let refused = match payload? {
            Payload::ComponentImportSection(imports) => {
                any(imports, |import| matches!(import.ty, ComponentTypeRef::Module(_)))?
            }
            Payload::ComponentExportSection(exports) => any(exports, |export| is_module(export.kind))?,
            Payload::ComponentAliasSection(aliases) => any(aliases, |alias| match alias {
                ComponentAlias::InstanceExport { kind, .. } => is_module(*kind),
                ComponentAlias::Outer { kind, .. } => *kind == ComponentOuterAliasKind::CoreModule,
                ComponentAlias::CoreInstanceExport { .. } => false,
            })?,
            Payload::ComponentInstanceSection(instances) => any(instances, |instance| match instance {
                ComponentInstance::Instantiate { args, .. } => args.iter().any(|argument| is_module(argument.kind)),
                ComponentInstance::FromExports(exports) => exports.iter().any(|export| is_module(export.kind)),
            })?,
            Payload::ComponentTypeSection(types) => {
                if any(types, |ty| matches!(ty, ComponentType::Resource { dtor: Some(_), .. }))? {
                    return Err(unknown("a resource has a destructor"));
                }
                false
            }
            _ => false,
        };
        if refused {
            return Err(unknown("one is imported, exported or passed on"));
        }
    }
    Ok(())
}

fn is_module(kind: ComponentExternalKind) -> bool {
    kind == ComponentExternalKind::Module
}

fn any<'a, T: FromReader<'a>>(section: SectionLimited<'a, T>, is_it: impl Fn(&T) -> bool) -> wasmtime::Result<bool> {
    for item in section {
        if is_it(&item?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The component's sections, and what its core index spaces hold.
struct Known<'a> {
    sections: Sections<'a>,
    modules: Vec<&'a [u8]>,
    instances: Vec<CoreInstance<'a>>,
    items: HashMap<Kind, Vec<Item<'a>>>,
    /// What is used by functions that are lifted and lowered.
    used: HashSet<(Kind, u32)>,
    /// How many instances come before the first function that needs one.
    free: Option<usize>,
}

/// An index space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    fn of(kind: ExternalKind) -> wasmtime::Result<Self> {
        Ok(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => Self::Function,
            ExternalKind::Table => Self::Table,
            ExternalKind::Memory => Self::Memory,
            ExternalKind::Global => Self::Global,
            ExternalKind::Tag => return Err(unknown("one exports a tag")),
        })
    }

    fn export(self) -> ExportKind {
        match self {
            Self::Function => ExportKind::Func,
            Self::Table => ExportKind::Table,
            Self::Memory => ExportKind::Memory,
            Self::Global => ExportKind::Global,
        }
    }
}

enum CoreInstance<'a> {
    Module { module: usize, arguments: HashMap<&'a str, usize>, imports: Vec<Import<'a>> },
    Items(HashMap<&'a str, (Kind, u32)>),
}

/// An item of an index space.
#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    /// A function of the canonical ABI, and whether it can be made before there is a memory.
    Canonical {
        is_early: bool,
    },
    Export {
        instance: usize,
        name: &'a str,
    },
}

/// Where what an instance is given comes from.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    Canonical { function: u32, is_early: bool },
    Export { instance: usize, name: &'a str },
}

impl<'a> Known<'a> {
    fn of(component: &'a [u8]) -> wasmtime::Result<Self> {
        let mut known = Self {
            sections: segments::sections(component)?.1,
            modules: Vec::new(),
            instances: Vec::new(),
            items: HashMap::new(),
            used: HashSet::new(),
            free: None,
        };
        for (id, content) in known.sections.clone() {
            known.take(id, content)?;
        }
        Ok(known)
    }

    fn take(&mut self, id: u8, content: &'a [u8]) -> wasmtime::Result<()> {
        let reader = || BinaryReader::new(content, 0);
        if id == ComponentSectionId::CoreModule as u8 {
            self.modules.push(content);
        } else if id == ComponentSectionId::CoreInstance as u8 {
            for instance in InstanceSectionReader::new(reader())? {
                let instance = self.instance(&instance?)?;
                self.instances.push(instance);
            }
        } else if id == ComponentSectionId::Alias as u8 {
            for alias in ComponentAliasSectionReader::new(reader())? {
                if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias? {
                    let item = Item::Export { instance: instance_index as usize, name };
                    self.items.entry(Kind::of(kind)?).or_default().push(item);
                }
            }
        } else if id == ComponentSectionId::CanonicalFunction as u8 {
            for function in ComponentCanonicalSectionReader::new(reader())? {
                let function = function?;
                let is_early = is_early(&function);
                if !is_early {
                    self.free.get_or_insert(self.instances.len());
                }
                let mut noted = Noted(&mut self.used);
                noted.parse_component_canonical(&mut CanonicalFunctionSection::new(), function.clone())?;
                if !matches!(function, CanonicalFunction::Lift { .. }) {
                    let item = Item::Canonical { is_early };
                    self.items.entry(Kind::Function).or_default().push(item);
                }
            }
        }
        Ok(())
    }

    fn instance(&self, instance: &Instance<'a>) -> wasmtime::Result<CoreInstance<'a>> {
        match instance {
            Instance::Instantiate { module_index, args } => {
                let module = *module_index as usize;
                let bytes = self.modules.get(module).ok_or_else(|| unknown("a module is missing"))?;
                let arguments = args.iter().map(|argument| (argument.name, argument.index as usize)).collect();
                Ok(CoreInstance::Module { module, arguments, imports: imports(bytes)? })
            }
            Instance::FromExports(exports) => {
                let items = exports.iter().map(|export| Ok((export.name, (Kind::of(export.kind)?, export.index))));
                Ok(CoreInstance::Items(items.collect::<wasmtime::Result<_>>()?))
            }
        }
    }

    /// Where an instance's export comes from.
    fn origin(&self, instance: usize, name: &'a str) -> wasmtime::Result<Origin<'a>> {
        let missing = || unknown(format!("{name} is missing"));
        match self.instances.get(instance).ok_or_else(missing)? {
            CoreInstance::Module { .. } => Ok(Origin::Export { instance, name }),
            CoreInstance::Items(items) => {
                let (kind, index) = items.get(name).ok_or_else(missing)?;
                self.item(*kind, *index)
            }
        }
    }

    fn item(&self, kind: Kind, index: u32) -> wasmtime::Result<Origin<'a>> {
        let item = self.items.get(&kind).and_then(|items| items.get(index as usize));
        match *item.ok_or_else(|| unknown("an item is missing"))? {
            Item::Canonical { is_early } => Ok(Origin::Canonical { function: index, is_early }),
            Item::Export { instance, name } => self.origin(instance, name),
        }
    }

    /// What each of a module's imports is.
    fn origins(&self, instance: usize) -> wasmtime::Result<Vec<(Import<'a>, Origin<'a>)>> {
        let Some(CoreInstance::Module { arguments, imports, .. }) = self.instances.get(instance) else {
            return Ok(Vec::new());
        };
        let origins = imports.iter().map(|import| {
            let argument = arguments.get(import.module).ok_or_else(|| unknown("an import is missing"))?;
            Ok((*import, self.origin(*argument, import.name)?))
        });
        origins.collect()
    }
}

fn imports<'a>(module: &'a [u8]) -> wasmtime::Result<Vec<Import<'a>>> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            return Ok(imports.into_imports().collect::<Result<_, _>>()?);
        }
    }
    Ok(Vec::new())
}

/// Whether making an instance of the module does more than fill tables.
fn acts(module: &[u8]) -> wasmtime::Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::StartSection { .. } => return Ok(true),
            Payload::DataSection(data) if data.count() > 0 => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

fn external(ty: TypeRef) -> ExternalKind {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => ExternalKind::Func,
        TypeRef::Table(_) => ExternalKind::Table,
        TypeRef::Memory(_) => ExternalKind::Memory,
        TypeRef::Global(_) => ExternalKind::Global,
        TypeRef::Tag(_) => ExternalKind::Tag,
    }
}

/// Whether it needs nothing of any module.
fn is_early(function: &CanonicalFunction) -> bool {
    match function {
        CanonicalFunction::Lower { options, .. } => !options.iter().any(|option| {
            use CanonicalOption::{Callback, CoreType, Memory, PostReturn, Realloc};
            matches!(option, Memory(_) | Realloc(_) | PostReturn(_) | Callback(_) | CoreType(_))
        }),
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => true,
        _ => false,
    }
}

/// Notes what is used, and changes nothing.
struct Noted<'a>(&'a mut HashSet<(Kind, u32)>);

impl Reencode for Noted<'_> {
    type Error = Lost;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.0.insert((Kind::Function, index));
        Ok(index)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.0.insert((Kind::Table, index));
        Ok(index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.0.insert((Kind::Memory, index));
        Ok(index)
    }
}

impl ReencodeComponent for Noted<'_> {}

/// The instances whose modules become one.
struct Plan<'a> {
    /// By instance: the number of its module among those.
    parts: HashMap<usize, usize>,
    /// The one in whose place the whole comes: the last before it is needed.
    place: usize,
    /// What others need of them.
    exports: Vec<(Kind, usize, &'a str)>,
}

impl<'a> Plan<'a> {
    fn of(known: &Known<'a>) -> wasmtime::Result<Self> {
        let mut plan = Self { parts: HashMap::new(), place: 0, exports: Vec::new() };
        let mut free = known.free.unwrap_or(known.instances.len());
        for (number, instance) in known.instances.iter().enumerate() {
            let CoreInstance::Module { .. } = instance else { continue };
            let is_part = known.origins(number)?.iter().all(|(_, origin)| match origin {
                Origin::Canonical { is_early, .. } => *is_early,
                Origin::Export { instance, .. } => plan.parts.contains_key(instance),
            });
            if is_part {
                plan.parts.insert(number, plan.parts.len());
                plan.place = if number < free { number } else { plan.place };
            } else {
                free = free.min(number);
            }
        }
        plan.refuse_order(known)?;
        for (kind, index) in &known.used {
            plan.need(*kind, known.item(*kind, *index)?);
        }
        for number in 0..known.instances.len() {
            if !plan.parts.contains_key(&number) {
                for (import, origin) in known.origins(number)? {
                    plan.need(Kind::of(external(import.ty))?, origin);
                }
            }
        }
        plan.exports.sort_unstable_by_key(|(_, instance, name)| (*instance, *name));
        plan.exports.dedup();
        Ok(plan)
    }

    /// Notes what others need, if it is a part's.
    fn need(&mut self, kind: Kind, origin: Origin<'a>) {
        match origin {
            Origin::Export { instance, name } if self.parts.contains_key(&instance) => {
                self.exports.push((kind, instance, name));
            }
            _ => {}
        }
    }

    /// Refuses what would see that parts behind `place` come earlier.
    fn refuse_order(&self, known: &Known<'a>) -> wasmtime::Result<()> {
        let (mut early, mut late) = (HashSet::new(), HashSet::new());
        for (number, instance) in known.instances.iter().enumerate() {
            let CoreInstance::Module { module, .. } = instance else { continue };
            let is_part = self.parts.contains_key(&number);
            if !is_part && acts(known.modules[*module])? {
                return Err(unknown("one that needs the others' memory has data or a start function"));
            }
            for (import, origin) in known.origins(number)? {
                if let (TypeRef::Table(_), Origin::Export { instance, name }) = (import.ty, origin) {
                    match is_part {
                        false => early.insert((instance, name)),
                        true => number > self.place && late.insert((instance, name)),
                    };
                }
            }
        }
        match early.is_disjoint(&late) {
            true => Ok(()),
            false => Err(unknown("one that needs the others' memory shares a table with a later one")),
        }
    }

    /// The one module.
    fn module(&self, known: &Known<'a>) -> wasmtime::Result<Merged> {
        let mut parts = Vec::new();
        for (number, instance) in known.instances.iter().enumerate() {
            let CoreInstance::Module { module, .. } = instance else { continue };
            if !self.parts.contains_key(&number) {
                continue;
            }
            let bindings = known.origins(number)?.into_iter().map(|(_, origin)| match origin {
                Origin::Canonical { function, .. } => Binding::Outside(function),
                Origin::Export { instance, name } => Binding::Export(self.parts[&instance], name),
            });
            parts.push(Part { module: known.modules[*module], bindings: bindings.collect() });
        }
        let exports = self.exports.iter().map(|(_, instance, name)| {
            let part = self.parts[instance];
            (format!("{part}:{name}"), part, *name)
        });
        module::merged(&parts, &exports.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests;
