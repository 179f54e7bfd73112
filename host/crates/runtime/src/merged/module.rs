//! Core modules that call each other, as one.

use std::collections::HashMap;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportSection, FunctionSection,
    GlobalSection, ImportSection, Instruction, MemorySection, Module, NameMap, NameSection, TableSection, TypeSection,
};
use wasmparser::{
    CompositeInnerType, ConstExpr, DataSectionReader, Element, ElementItems, ElementSectionReader, ExternalKind,
    FuncType, FunctionBody, Global, Import, KnownCustom, MemoryType, Name, Operator, Parser, Payload, Table, TypeRef,
};

use super::{Lost, unknown};

/// What a module's import is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Binding<'a> {
    /// A function from outside, by a number of the caller's.
    Outside(u32),
    /// What another module, by its number, exports.
    Export(usize, &'a str),
}

/// A module, and what each of its imports is, in order. Those that it imports from come
/// before it.
pub(super) struct Part<'a> {
    pub(super) module: &'a [u8],
    pub(super) bindings: Vec<Binding<'a>>,
}

/// The module that was made.
pub(super) struct Merged {
    pub(super) module: Vec<u8>,
    /// The functions from outside that it still needs: its imports, in order.
    pub(super) imports: Vec<u32>,
}

/// The name of all of the module's imports is their number, in this module.
pub(super) const IMPORTS: &str = "";

/// One module of these, with exports of theirs under new names. Functions that nobody
/// can call are left out, and a global that nobody sets is a constant. An error when
/// one of them has a start function or types other than of functions.
pub(super) fn merged(parts: &[Part<'_>], exports: &[(String, usize, &str)]) -> wasmtime::Result<Merged> {
    let read = parts.iter().map(|part| Read::of(part.module)).collect::<wasmtime::Result<Vec<_>>>()?;
    let mut whole = Whole::default();
    for (part, read) in parts.iter().zip(&read) {
        whole.take(part, read)?;
    }
    whole.look(&read)?;
    for (_, part, export) in exports {
        match whole.export(*part, export)? {
            (ExternalKind::Func | ExternalKind::FuncExact, index) => whole.called.push(index),
            // Whoever has it could set it.
            (ExternalKind::Global, index) => whole.globals[index as usize].is_kept = true,
            _ => {}
        }
    }
    whole.number();
    // Where those from outside are is known now.
    let mut exported = Vec::new();
    for (name, part, export) in exports {
        exported.push((name.as_str(), whole.export(*part, export)?));
    }
    whole.written(&read, &exported)
}

/// A module's sections.
#[derive(Default)]
struct Read<'a> {
    types: Vec<FuncType>,
    imports: Vec<Import<'a>>,
    functions: Vec<u32>,
    tables: Vec<Table<'a>>,
    memories: Vec<MemoryType>,
    globals: Vec<Global<'a>>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
    elements: Option<ElementSectionReader<'a>>,
    bodies: Vec<FunctionBody<'a>>,
    data: Option<DataSectionReader<'a>>,
    names: Vec<(u32, &'a str)>,
}

impl<'a> Read<'a> {
    fn of(module: &'a [u8]) -> wasmtime::Result<Self> {
        let mut read = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for group in types {
                        for ty in group?.into_types() {
                            match ty.composite_type.inner {
                                CompositeInnerType::Func(function) if ty.supertype_idx.is_none() => {
                                    read.types.push(function);
                                }
                                _ => return Err(unknown("a module has types other than of functions")),
                            }
                        }
                    }
                }
                Payload::ImportSection(imports) => read.imports = imports.into_imports().collect::<Result<_, _>>()?,
                Payload::FunctionSection(functions) => {
                    read.functions = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::TableSection(tables) => read.tables = tables.into_iter().collect::<Result<_, _>>()?,
                Payload::MemorySection(memories) => read.memories = memories.into_iter().collect::<Result<_, _>>()?,
                Payload::GlobalSection(globals) => read.globals = globals.into_iter().collect::<Result<_, _>>()?,
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        read.exports.insert(export.name, (export.kind, export.index));
                    }
                }
                Payload::ElementSection(elements) => read.elements = Some(elements),
                Payload::CodeSectionEntry(body) => read.bodies.push(body),
                Payload::DataSection(data) => read.data = Some(data),
                Payload::StartSection { .. } => return Err(unknown("a module has a start function")),
                Payload::TagSection(_) => return Err(unknown("a module has tags")),
                Payload::CustomSection(custom) => {
                    let KnownCustom::Name(names) = custom.as_known() else { continue };
                    for name in names {
                        // What only names is no reason to fail.
                        let Ok(Name::Function(functions)) = name else { continue };
                        read.names.extend(functions.into_iter().flatten().map(|naming| (naming.index, naming.name)));
                    }
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn elements(&self) -> impl Iterator<Item = wasmparser::Result<Element<'a>>> + use<'a> {
        self.elements.clone().into_iter().flatten()
    }

    fn imported_functions(&self) -> usize {
        self.imports.iter().filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_))).count()
    }
}

/// Where what a module calls by a number is, in the whole.
#[derive(Debug, Default)]
struct Places {
    types: Vec<u32>,
    functions: Vec<u32>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
    elements: u32,
    data: u32,
}

impl Places {
    fn of(&mut self, kind: ExternalKind) -> wasmtime::Result<&mut Vec<u32>> {
        Ok(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => &mut self.functions,
            ExternalKind::Table => &mut self.tables,
            ExternalKind::Memory => &mut self.memories,
            ExternalKind::Global => &mut self.globals,
            ExternalKind::Tag => return Err(unknown("a module has tags")),
        })
    }
}

/// All modules' items under numbers of their own.
#[derive(Default)]
struct Whole<'a> {
    places: Vec<Places>,
    exports: Vec<HashMap<&'a str, (ExternalKind, u32)>>,
    types: Vec<FuncType>,
    numbers: HashMap<FuncType, u32>,
    /// By the number of the caller's: the function and its type.
    outside: Vec<(u32, u32)>,
    functions: Vec<Function>,
    tables: u32,
    memories: u32,
    elements: u32,
    data: u32,
    globals: Vec<GlobalPlace>,
    /// Functions whose callers are not known.
    called: Vec<u32>,
    /// Those that code refers to by more than calls.
    referred: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    I32(i32),
    I64(i64),
}

#[derive(Debug)]
struct GlobalPlace {
    /// What it begins with, if that is known.
    value: Option<Value>,
    is_mutable: bool,
    /// Whether it must be there: somebody could set it, or its value is not known.
    is_kept: bool,
    /// Where it is in the module that is made, if it is.
    number: Option<u32>,
}

impl GlobalPlace {
    /// What it always is.
    fn constant(&self) -> Option<Value> {
        self.value.filter(|_| !self.is_mutable || !self.is_kept)
    }
}

#[derive(Debug, Default)]
struct Function {
    calls: Vec<u32>,
    sets: Vec<u32>,
    /// Where it is in the module that is made; none for one that nobody calls.
    number: Option<u32>,
}

impl<'a> Whole<'a> {
    /// Gives numbers to a module's items.
    fn take(&mut self, part: &Part<'a>, read: &Read<'a>) -> wasmtime::Result<()> {
        let mut places = Places { elements: self.elements, data: self.data, ..Places::default() };
        for ty in &read.types {
            let next = self.types.len() as u32;
            let number = *self.numbers.entry(ty.clone()).or_insert(next);
            if number == next {
                self.types.push(ty.clone());
            }
            places.types.push(number);
        }
        if part.bindings.len() != read.imports.len() {
            return Err(unknown("a module's imports are not all known"));
        }
        for (import, binding) in read.imports.iter().zip(&part.bindings) {
            match (binding, import.ty) {
                (Binding::Export(part, name), _) => {
                    let (kind, index) = self.export(*part, name)?;
                    places.of(kind)?.push(index);
                }
                (Binding::Outside(number), TypeRef::Func(ty) | TypeRef::FuncExact(ty)) => {
                    let known = self.outside.iter().position(|(other, _)| other == number);
                    let ty = places.types.get(ty as usize).copied().ok_or_else(|| unknown("a type is missing"))?;
                    let index = known.unwrap_or(self.outside.len());
                    if known.is_none() {
                        self.outside.push((*number, ty));
                    }
                    places.functions.push(OUTSIDE | index as u32);
                }
                _ => return Err(unknown("a module imports more than functions from outside")),
            }
        }
        for _ in &read.functions {
            places.functions.push(self.functions.len() as u32);
            self.functions.push(Function::default());
        }
        for (count, total, places) in [
            (read.tables.len(), &mut self.tables, &mut places.tables),
            (read.memories.len(), &mut self.memories, &mut places.memories),
        ] {
            places.extend(*total..*total + count as u32);
            *total += count as u32;
        }
        for global in &read.globals {
            places.globals.push(self.globals.len() as u32);
            let value = self.value(&global.init_expr, &places)?;
            let is_mutable = global.ty.mutable;
            self.globals.push(GlobalPlace { value, is_mutable, is_kept: value.is_none(), number: None });
        }
        self.elements += read.elements.as_ref().map_or(0, ElementSectionReader::count);
        self.data += read.data.as_ref().map_or(0, DataSectionReader::count);
        self.places.push(places);
        self.exports.push(read.exports.clone());
        Ok(())
    }

    /// What a module that was taken exports, in the whole.
    fn export(&mut self, part: usize, name: &str) -> wasmtime::Result<(ExternalKind, u32)> {
        let found = self.exports.get(part).and_then(|exports| exports.get(name)).copied();
        let (kind, index) = found.ok_or_else(|| unknown(format!("no module exports {name}")))?;
        let place = self.places.get_mut(part).ok_or_else(|| unknown("a module comes too late"))?.of(kind)?;
        let place = place.get(index as usize).ok_or_else(|| unknown(format!("{name} is missing")))?;
        Ok((kind, *place))
    }

    /// The value of a constant expression, if it is a number.
    fn value(&self, expression: &ConstExpr<'_>, places: &Places) -> wasmtime::Result<Option<Value>> {
        let mut operators = expression.get_operators_reader();
        let value = match operators.read()? {
            Operator::I32Const { value } => Some(Value::I32(value)),
            Operator::I64Const { value } => Some(Value::I64(value)),
            Operator::GlobalGet { global_index } => {
                let place = places.globals.get(global_index as usize);
                place.and_then(|place| self.globals.get(*place as usize)?.value)
            }
            _ => None,
        };
        Ok(value.filter(|_| operators.is_end_then_eof()))
    }

    /// Looks who calls whom, and sets which globals.
    fn look(&mut self, read: &[Read<'a>]) -> wasmtime::Result<()> {
        let missing = || unknown("a number stands for nothing");
        for (places, read) in self.places.iter().zip(read) {
            let function = |index: u32| places.functions.get(index as usize).copied().ok_or_else(missing);
            let mut own = places.functions.iter().skip(read.imported_functions());
            for body in &read.bodies {
                let own = own.next().ok_or_else(missing)?;
                let (mut calls, mut sets) = (Vec::new(), Vec::new());
                for operator in body.get_operators_reader()? {
                    match operator? {
                        Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                            calls.push(function(function_index)?);
                        }
                        Operator::RefFunc { function_index } => {
                            let function = function(function_index)?;
                            calls.push(function);
                            self.referred.push(function);
                        }
                        Operator::GlobalSet { global_index } => {
                            let global = places.globals.get(global_index as usize).ok_or_else(missing)?;
                            sets.push(*global);
                        }
                        _ => {}
                    }
                }
                calls.sort_unstable();
                calls.dedup();
                self.functions[*own as usize] = Function { calls, sets, number: None };
            }
            let mut expressions: Vec<ConstExpr<'_>> =
                read.globals.iter().map(|global| global.init_expr.clone()).collect();
            for element in read.elements() {
                match element?.items {
                    ElementItems::Functions(functions) => {
                        for index in functions {
                            self.called.push(function(index?)?);
                        }
                    }
                    ElementItems::Expressions(_, items) => {
                        for item in items {
                            expressions.push(item?);
                        }
                    }
                }
            }
            for expression in expressions {
                for operator in expression.get_operators_reader() {
                    if let Operator::RefFunc { function_index } = operator? {
                        self.called.push(function(function_index)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Numbers what is needed in the module that is made.
    fn number(&mut self) {
        let mut outside = vec![false; self.outside.len()];
        let mut is_needed = vec![false; self.functions.len()];
        let mut pending = std::mem::take(&mut self.called);
        while let Some(index) = pending.pop() {
            if index & OUTSIDE != 0 {
                outside[(index & !OUTSIDE) as usize] = true;
            } else if !std::mem::replace(&mut is_needed[index as usize], true) {
                let function = &self.functions[index as usize];
                pending.extend(&function.calls);
                for global in &function.sets {
                    self.globals[*global as usize].is_kept = true;
                }
            }
        }
        let mut next = counter();
        let outside: Vec<Option<u32>> = outside.into_iter().map(&mut next).collect();
        for (function, is_needed) in self.functions.iter_mut().zip(is_needed) {
            function.number = next(is_needed);
        }
        // From here on those from outside are functions as all others.
        let own = self.functions.len() as u32;
        for places in &mut self.places {
            for place in places.functions.iter_mut().filter(|place| **place & OUTSIDE != 0) {
                *place = own + (*place & !OUTSIDE);
            }
        }
        self.functions.extend(outside.into_iter().map(|number| Function { number, ..Function::default() }));
        for place in self.referred.iter_mut().filter(|place| **place & OUTSIDE != 0) {
            *place = own + (*place & !OUTSIDE);
        }
        let mut next = counter();
        for global in &mut self.globals {
            global.number = next(global.is_kept);
        }
    }

    fn written(&self, read: &[Read<'a>], exported: &[(&str, (ExternalKind, u32))]) -> wasmtime::Result<Merged> {
        let mut types = TypeSection::new();
        for ty in &self.types {
            types.ty().func_type(&reencode::RoundtripReencoder.func_type(ty.clone())?);
        }
        let (mut imports, mut needed) = (ImportSection::new(), Vec::new());
        let own = self.functions.len() - self.outside.len();
        for ((number, ty), function) in self.outside.iter().zip(&self.functions[own..]) {
            if function.number.is_some() {
                imports.import(IMPORTS, &number.to_string(), EntityType::Function(*ty));
                needed.push(*number);
            }
        }
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let (mut tables, mut memories, mut globals) = (TableSection::new(), MemorySection::new(), GlobalSection::new());
        let (mut elements, mut data) = (ElementSection::new(), DataSection::new());
        let mut names = Vec::new();
        for (places, read) in self.places.iter().zip(read) {
            let mut writer = Writer { whole: self, places };
            let is_needed = |place: &u32| self.functions.get(*place as usize).and_then(|function| function.number);
            let own = places.functions.get(read.imported_functions()..).unwrap_or_default();
            for ((ty, body), _) in
                read.functions.iter().zip(&read.bodies).zip(own).filter(|(_, place)| is_needed(place).is_some())
            {
                functions.function(writer.type_index(*ty)?);
                writer.parse_function_body(&mut code, body.clone())?;
            }
            for table in &read.tables {
                writer.parse_table(&mut tables, table.clone())?;
            }
            for memory in &read.memories {
                memories.memory(writer.memory_type(*memory)?);
            }
            let own = places.globals.get(places.globals.len() - read.globals.len()..).unwrap_or_default();
            for (global, place) in read.globals.iter().zip(own) {
                if self.globals[*place as usize].is_kept {
                    writer.parse_global(&mut globals, global.clone())?;
                }
            }
            for element in read.elements() {
                writer.parse_element(&mut elements, element?)?;
            }
            for segment in read.data.clone().into_iter().flatten() {
                writer.parse_data(&mut data, segment?)?;
            }
            let skipped = read.imported_functions() as u32;
            for (index, name) in read.names.iter().filter(|(index, _)| *index >= skipped) {
                if let Some(number) = places.functions.get(*index as usize).and_then(is_needed) {
                    names.push((number, *name));
                }
            }
        }
        let mut referred: Vec<u32> = self.referred.iter().filter_map(|place| self.function(*place).ok()).collect();
        referred.sort_unstable();
        referred.dedup();
        if !referred.is_empty() {
            elements.declared(Elements::Functions(referred.into()));
        }
        let mut exports = ExportSection::new();
        let identity = Places::default();
        let mut writer = Writer { whole: self, places: &identity };
        for (name, (kind, index)) in exported {
            let number = match kind {
                ExternalKind::Func | ExternalKind::FuncExact => self.function(*index)?,
                ExternalKind::Global => self.global(*index)?,
                _ => *index,
            };
            exports.export(name, writer.export_kind(*kind)?, number);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
        module.section(&globals).section(&exports).section(&elements);
        module.section(&DataCountSection { count: data.len() }).section(&code).section(&data);
        module.section(&named(names));
        Ok(Merged { module: module.finish(), imports: needed })
    }

    fn function(&self, place: u32) -> Result<u32, Lost> {
        let number = self.functions.get(place as usize).and_then(|function| function.number);
        number.ok_or(Lost("a function that is called"))
    }

    fn global(&self, place: u32) -> Result<u32, Lost> {
        let number = self.globals.get(place as usize).and_then(|global| global.number);
        number.ok_or(Lost("a global that is used"))
    }
}

/// Set in the place of a function from outside, until all are known.
const OUTSIDE: u32 = 1 << 31;

/// Numbers what is needed, one after the other.
fn counter() -> impl FnMut(bool) -> Option<u32> {
    let mut next = 0;
    move |is_needed| {
        let number = is_needed.then_some(next);
        next += u32::from(is_needed);
        number
    }
}

fn named(mut names: Vec<(u32, &str)>) -> NameSection {
    names.sort_unstable();
    names.dedup_by_key(|(number, _)| *number);
    let mut functions = NameMap::new();
    for (number, name) in names {
        functions.append(number, name);
    }
    let mut section = NameSection::new();
    section.functions(&functions);
    section
}

/// Writes what a module has with the numbers of the module that is made.
struct Writer<'w, 'a> {
    whole: &'w Whole<'a>,
    places: &'w Places,
}

fn place(places: &[u32], index: u32, what: &'static str) -> Result<u32, reencode::Error<Lost>> {
    places.get(index as usize).copied().ok_or(reencode::Error::UserError(Lost(what)))
}

impl Reencode for Writer<'_, '_> {
    type Error = Lost;

    fn type_index(&mut self, ty: u32) -> Result<u32, reencode::Error<Lost>> {
        place(&self.places.types, ty, "a type")
    }

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Lost>> {
        let place = place(&self.places.functions, function, "a function")?;
        self.whole.function(place).map_err(reencode::Error::UserError)
    }

    fn table_index(&mut self, table: u32) -> Result<u32, reencode::Error<Lost>> {
        place(&self.places.tables, table, "a table")
    }

    fn memory_index(&mut self, memory: u32) -> Result<u32, reencode::Error<Lost>> {
        place(&self.places.memories, memory, "a memory")
    }

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error<Lost>> {
        let global = place(&self.places.globals, global, "a global")?;
        self.whole.global(global).map_err(reencode::Error::UserError)
    }

    fn element_index(&mut self, element: u32) -> Result<u32, reencode::Error<Lost>> {
        Ok(self.places.elements + element)
    }

    fn data_index(&mut self, data: u32) -> Result<u32, reencode::Error<Lost>> {
        Ok(self.places.data + data)
    }

    fn instruction<'b>(&mut self, operator: Operator<'b>) -> Result<Instruction<'b>, reencode::Error<Lost>> {
        if let Operator::GlobalGet { global_index } = operator {
            let global = place(&self.places.globals, global_index, "a global")? as usize;
            match self.whole.globals.get(global).and_then(GlobalPlace::constant) {
                Some(Value::I32(value)) => return Ok(Instruction::I32Const(value)),
                Some(Value::I64(value)) => return Ok(Instruction::I64Const(value)),
                None => {}
            }
        }
        utils::instruction(self, operator)
    }
}
