//! A component whose core modules are one.
//!
//! What a linker makes of shared libraries is a dozen modules that import from each
//! other. The engine then looks up each of some thousand function references again for
//! every instance; within one module they are made when they are called. Calls between
//! the libraries are direct, and addresses that the linker has decided are constants.

mod module;

use std::collections::{HashMap, HashSet};

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentSectionId, ExportKind, InstanceSection,
    ModuleArg, RawSection,
};
use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, ExternalKind, Import, Instance, InstanceSectionReader, Parser, Payload, TypeRef,
};

use module::{Binding, IMPORTS, Merged, Part};

const HEADER_BYTES: usize = 8;

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
    let known = Known::of(component)?;
    let plan = Plan::of(&known)?;
    if plan.parts.len() < 2 {
        return Ok(component.to_vec());
    }
    let made = plan.written(&known)?;
    let features = wasmparser::WasmFeatures::all();
    let checked = wasmparser::Validator::new_with_features(features).validate_all(&made);
    checked.map_err(|error| unknown(format!("the result is not valid: {error}")))?;
    Ok(made)
}

type Sections<'a> = Vec<(u8, &'a [u8])>;

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
        let mut reader = BinaryReader::new(component, 0);
        reader.read_bytes(HEADER_BYTES)?;
        let mut known = Self {
            sections: Vec::new(),
            modules: Vec::new(),
            instances: Vec::new(),
            items: HashMap::new(),
            used: HashSet::new(),
            free: None,
        };
        while !reader.eof() {
            let id = reader.read_u8()?;
            let length = reader.read_var_u32()? as usize;
            let content = reader.read_bytes(length)?;
            known.sections.push((id, content));
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
        let mut needed = Vec::new();
        for (kind, index) in &known.used {
            needed.push((*kind, known.item(*kind, *index)?));
        }
        for number in 0..known.instances.len() {
            if !plan.parts.contains_key(&number) {
                for (import, origin) in known.origins(number)? {
                    needed.push((Kind::of(external(import.ty))?, origin));
                }
            }
        }
        for (kind, origin) in needed {
            match origin {
                Origin::Export { instance, name } if plan.parts.contains_key(&instance) => {
                    plan.exports.push((kind, instance, name));
                }
                _ => {}
            }
        }
        plan.exports.sort_unstable_by_key(|(_, instance, name)| (*instance, *name));
        plan.exports.dedup();
        Ok(plan)
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

    fn written(&self, known: &Known<'a>) -> wasmtime::Result<Vec<u8>> {
        let merged = self.module(known)?;
        let mut writer = Writer { known, plan: self, component: Component::new(), numbers: Numbers::default() };
        let (mut modules, mut instances) = (0, 0);
        for (id, content) in &known.sections {
            let reader = || BinaryReader::new(content, 0);
            if *id == ComponentSectionId::CoreModule as u8 {
                writer.module(modules, content);
                modules += 1;
            } else if *id == ComponentSectionId::CoreInstance as u8 {
                for _ in InstanceSectionReader::new(reader())? {
                    if instances == self.place {
                        writer.merged(&merged)?;
                    } else if !self.parts.contains_key(&instances) {
                        writer.instance(instances)?;
                    }
                    instances += 1;
                }
            } else if *id == ComponentSectionId::Alias as u8 {
                writer.aliases(ComponentAliasSectionReader::new(reader())?)?;
            } else if *id == ComponentSectionId::CanonicalFunction as u8 {
                writer.canonical(ComponentCanonicalSectionReader::new(reader())?)?;
            } else {
                writer.component.section(&RawSection { id: *id, data: content });
            }
        }
        Ok(writer.component.finish())
    }
}

/// Numbers in the component that is made.
#[derive(Default)]
struct Numbers {
    modules: HashMap<usize, u32>,
    instances: HashMap<usize, u32>,
    instance_count: u32,
    /// Of items as they were numbered before, and how many were seen of those.
    items: HashMap<(Kind, u32), u32>,
    seen: HashMap<Kind, u32>,
    made: HashMap<Kind, u32>,
    /// Of exports that have an alias.
    exports: HashMap<(Kind, usize, String), u32>,
}

impl Numbers {
    /// The next number of an item that is made.
    fn make(&mut self, kind: Kind) -> u32 {
        let made = self.made.entry(kind).or_default();
        *made += 1;
        *made - 1
    }

    /// The next number that an item had.
    fn see(&mut self, kind: Kind) -> u32 {
        let seen = self.seen.entry(kind).or_default();
        *seen += 1;
        *seen - 1
    }

    fn item(&self, kind: Kind, index: u32) -> Result<u32, reencode::Error<Lost>> {
        let number = self.items.get(&(kind, index)).copied();
        number.ok_or(reencode::Error::UserError(Lost("what a function of the component needs")))
    }
}

impl Reencode for Numbers {
    type Error = Lost;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.item(Kind::Function, index)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.item(Kind::Table, index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<Lost>> {
        self.item(Kind::Memory, index)
    }
}

impl ReencodeComponent for Numbers {}

struct Writer<'w, 'a> {
    known: &'w Known<'a>,
    plan: &'w Plan<'a>,
    component: Component,
    numbers: Numbers,
}

impl<'a> Writer<'_, 'a> {
    /// A module, unless it is in the whole.
    fn module(&mut self, number: usize, content: &[u8]) {
        let is_kept = self.known.instances.iter().enumerate().any(|(instance, core)| {
            matches!(core, CoreInstance::Module { module, .. } if *module == number && !self.plan.parts.contains_key(&instance))
        });
        if is_kept {
            let next = self.numbers.modules.len() as u32;
            self.numbers.modules.insert(number, next);
            self.component.section(&RawSection { id: ComponentSectionId::CoreModule as u8, data: content });
        }
    }

    /// The whole, an instance of it, and aliases of all that others need of it.
    fn merged(&mut self, merged: &Merged) -> wasmtime::Result<()> {
        // Its number is its last part's, which is none of those that are kept.
        let number = self.numbers.modules.len() as u32;
        self.numbers.modules.insert(usize::MAX, number);
        self.component.section(&RawSection { id: ComponentSectionId::CoreModule as u8, data: &merged.module });
        let mut functions = Vec::new();
        for function in &merged.imports {
            functions.push((function.to_string(), ExportKind::Func, self.numbers.item(Kind::Function, *function)?));
        }
        let mut section = InstanceSection::new();
        section.export_items(functions);
        let arguments = self.numbers.instance_count;
        section.instantiate(number, [(IMPORTS, ModuleArg::Instance(arguments))]);
        self.component.section(&section);
        self.numbers.instance_count += 2;
        let instance = arguments + 1;
        for (kind, part, name) in &self.plan.exports {
            let export = format!("{}:{name}", self.plan.parts[part]);
            self.alias(*kind, instance, &export);
            let number = self.numbers.made[kind] - 1;
            self.numbers.exports.insert((*kind, *part, (*name).to_owned()), number);
        }
        for (kind, items) in &self.known.items {
            for index in 0..items.len() as u32 {
                let Origin::Export { instance, name } = self.known.item(*kind, index)? else { continue };
                if let Some(number) = self.numbers.exports.get(&(*kind, instance, name.to_owned())) {
                    self.numbers.items.insert((*kind, index), *number);
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, kind: Kind, instance: u32, name: &str) -> u32 {
        let mut section = ComponentAliasSection::new();
        section.alias(Alias::CoreInstanceExport { instance, kind: kind.export(), name });
        self.component.section(&section);
        self.numbers.make(kind)
    }

    /// An instance of a module that is kept; what it is given is put together anew.
    fn instance(&mut self, number: usize) -> wasmtime::Result<()> {
        let CoreInstance::Module { module, .. } = &self.known.instances[number] else { return Ok(()) };
        let mut groups: Vec<(&str, Vec<_>)> = Vec::new();
        for (import, origin) in self.known.origins(number)? {
            let kind = Kind::of(external(import.ty))?;
            let index = match origin {
                Origin::Canonical { function, .. } => self.numbers.item(Kind::Function, function)?,
                Origin::Export { instance, name } => match self.numbers.exports.get(&(kind, instance, name.to_owned()))
                {
                    Some(number) => *number,
                    None => {
                        let instance = self.numbers.instances.get(&instance).copied();
                        self.alias(kind, instance.ok_or(Lost("an instance"))?, name)
                    }
                },
            };
            let item = (import.name, kind.export(), index);
            match groups.iter_mut().find(|(name, _)| *name == import.module) {
                Some((_, items)) => items.push(item),
                None => groups.push((import.module, vec![item])),
            }
        }
        let mut section = InstanceSection::new();
        let mut arguments = Vec::new();
        for (name, items) in groups {
            section.export_items(items);
            arguments.push((name, ModuleArg::Instance(self.numbers.instance_count)));
            self.numbers.instance_count += 1;
        }
        let module = self.numbers.modules.get(module).copied().ok_or(Lost("a module"))?;
        section.instantiate(module, arguments);
        self.component.section(&section);
        self.numbers.instances.insert(number, self.numbers.instance_count);
        self.numbers.instance_count += 1;
        Ok(())
    }

    fn aliases(&mut self, aliases: ComponentAliasSectionReader<'_>) -> wasmtime::Result<()> {
        for alias in aliases {
            let alias = alias?;
            let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
                let mut section = ComponentAliasSection::new();
                section.alias(self.numbers.component_alias(alias)?);
                self.component.section(&section);
                continue;
            };
            let kind = Kind::of(kind)?;
            let seen = self.numbers.see(kind);
            if let Some(instance) = self.numbers.instances.get(&(instance_index as usize)).copied() {
                let number = self.alias(kind, instance, name);
                self.numbers.items.insert((kind, seen), number);
            }
        }
        Ok(())
    }

    fn canonical(&mut self, functions: ComponentCanonicalSectionReader<'_>) -> wasmtime::Result<()> {
        for function in functions {
            let function = function?;
            let is_core = !matches!(function, CanonicalFunction::Lift { .. });
            let mut section = CanonicalFunctionSection::new();
            self.numbers.parse_component_canonical(&mut section, function)?;
            self.component.section(&section);
            if is_core {
                let (seen, number) = (self.numbers.see(Kind::Function), self.numbers.make(Kind::Function));
                self.numbers.items.insert((Kind::Function, seen), number);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
