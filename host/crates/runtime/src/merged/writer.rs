//! The component that is made, with its numbers.

use std::collections::HashMap;

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentSectionId, ExportKind, InstanceSection,
    ModuleArg, RawSection,
};
use wasmparser::{
    BinaryReader, CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, ComponentCanonicalSectionReader,
    CustomSectionReader, InstanceSectionReader,
};

use super::module::{IMPORTS, Merged};
use super::{CoreInstance, Kind, Known, Lost, Origin, Plan, external};

const CUSTOM: u8 = ComponentSectionId::CoreCustom as u8;
/// The section with names of what has other numbers afterwards.
const NAMES: &str = "component-name";
/// The whole, among the modules that are kept by their numbers.
const WHOLE: usize = usize::MAX;

impl<'a> Plan<'a> {
    /// The component.
    pub(super) fn written(&self, known: &Known<'a>) -> wasmtime::Result<Vec<u8>> {
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
            } else if *id != CUSTOM || CustomSectionReader::new(reader())?.name() != NAMES {
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
        let number = self.numbers.modules.len() as u32;
        self.numbers.modules.insert(WHOLE, number);
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
            let number = self.alias(*kind, instance, &export);
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
