//! Fewer data segments in what became of a snapshot.
//!
//! Wizer writes one for each run of bytes between zeros: ten thousand for an
//! interpreter. The engine notes place and length of each in every instance, though
//! none is read there: the memory is an image.

use wasm_encoder::{ComponentSectionId, ConstExpr, DataCountSection, DataSection, RawSection, Section as _};
use wasmparser::{BinaryReader, Data, DataKind, DataSectionReader, Operator};

/// Zeros between two segments that do not keep them apart. The image of a memory has
/// them anyway; the component grows by them.
const GAP_BYTES_MAX: u64 = 64 << 10;

const HEADER_BYTES: usize = 8;
/// A header's last four bytes, where what follows is a module.
const MODULE: [u8; 4] = [1, 0, 0, 0];
const DATA: u8 = wasm_encoder::SectionId::Data as u8;
const DATA_COUNT: u8 = wasm_encoder::SectionId::DataCount as u8;

/// The component, or module, with neighbouring segments of its modules joined. Those of
/// components within stay as they are, and so do those that Wizer does not write. An
/// error when it is not well-formed.
pub(crate) fn joined(bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let (header, sections) = sections(bytes)?;
    let is_module = header.ends_with(&MODULE);
    let data = sections.iter().find(|(id, _)| is_module && *id == DATA);
    let segments = data.map(|(_, data)| Segments::of(data)).transpose()?.flatten();
    let mut made = Vec::with_capacity(bytes.len());
    made.extend_from_slice(header);
    for (id, data) in sections {
        match &segments {
            Some(segments) if id == DATA => segments.section().append_to(&mut made),
            Some(segments) if id == DATA_COUNT => DataCountSection { count: segments.count() }.append_to(&mut made),
            _ if !is_module && id == u8::from(ComponentSectionId::CoreModule) => {
                RawSection { id, data: &joined(data)? }.append_to(&mut made);
            }
            _ => RawSection { id, data }.append_to(&mut made),
        }
    }
    Ok(made)
}

/// What is in each section, by the sections' numbers, in order.
pub(crate) type Sections<'a> = Vec<(u8, &'a [u8])>;

/// A component's or module's header, and its sections. An error when one is cut off.
pub(crate) fn sections(bytes: &[u8]) -> wasmtime::Result<(&[u8], Sections<'_>)> {
    let mut reader = BinaryReader::new(bytes, 0);
    let header = reader.read_bytes(HEADER_BYTES)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()? as usize;
        sections.push((id, reader.read_bytes(length)?));
    }
    Ok((header, sections))
}

/// The segments of one module.
struct Segments<'a> {
    /// Code refers to them by number: they stay, and stay first.
    passive: Vec<&'a [u8]>,
    active: Vec<Active>,
}

struct Active {
    memory: u32,
    offset: u64,
    bytes: Vec<u8>,
}

impl<'a> Segments<'a> {
    /// `None` where they are not as Wizer writes them.
    fn of(section: &'a [u8]) -> wasmtime::Result<Option<Self>> {
        let mut segments = Self { passive: Vec::new(), active: Vec::new() };
        for segment in DataSectionReader::new(BinaryReader::new(section, 0))? {
            if !segments.take(&segment?)? {
                return Ok(None);
            }
        }
        Ok(Some(segments))
    }

    /// Whether it is one that Wizer writes there.
    fn take(&mut self, segment: &Data<'a>) -> wasmtime::Result<bool> {
        let DataKind::Active { memory_index, offset_expr } = &segment.kind else {
            self.passive.push(segment.data);
            return Ok(self.active.is_empty());
        };
        let mut operators = offset_expr.get_operators_reader();
        let (Operator::I32Const { value }, Operator::End) = (operators.read()?, operators.read()?) else {
            return Ok(false);
        };
        let (memory, offset) = (*memory_index, u64::from(value.cast_unsigned()));
        let last = self.active.last_mut().filter(|last| last.memory == memory);
        let gap = last.as_ref().and_then(|last| offset.checked_sub(last.offset + last.bytes.len() as u64));
        match (last, gap) {
            (Some(last), Some(gap)) if gap <= GAP_BYTES_MAX => {
                last.bytes.resize(last.bytes.len() + gap as usize, 0);
                last.bytes.extend_from_slice(segment.data);
            }
            _ => self.active.push(Active { memory, offset, bytes: segment.data.to_vec() }),
        }
        Ok(true)
    }

    fn count(&self) -> u32 {
        (self.passive.len() + self.active.len()) as u32
    }

    fn section(&self) -> DataSection {
        let mut section = DataSection::new();
        for bytes in &self.passive {
            section.passive(bytes.iter().copied());
        }
        for Active { memory, offset, bytes } in &self.active {
            section.active(*memory, &ConstExpr::i32_const(*offset as i32), bytes.iter().copied());
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component of a module, and the module's data segments.
    fn component(segments: &str) -> Vec<u8> {
        let module = format!(
            r#"(component (core module (memory 3) (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))) {segments}) (core module))"#
        );
        wat::parse_str(module).unwrap()
    }

    fn segments(component: &[u8]) -> Vec<(Option<i32>, Vec<u8>)> {
        assert!(wasmparser::Validator::new().validate_all(component).is_ok());
        let mut all = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(component) {
            let wasmparser::Payload::DataSection(section) = payload.unwrap() else { continue };
            for segment in section {
                let segment = segment.unwrap();
                let offset = match segment.kind {
                    DataKind::Passive => None,
                    DataKind::Active { offset_expr, .. } => match offset_expr.get_operators_reader().read().unwrap() {
                        Operator::I32Const { value } => Some(value),
                        other => panic!("{other:?}"),
                    },
                };
                all.push((offset, segment.data.to_vec()));
            }
        }
        all
    }

    #[test]
    fn neighbours_become_one() {
        let before = component(
            r#"(data "passive") (data (i32.const 16) "a") (data (i32.const 20) "bc") (data (i32.const 22) "d")
               (data (i32.const 65559) "e") (data (i32.const 131097) "f")"#,
        );
        let after = segments(&joined(&before).unwrap());
        let mut first = b"a\0\0\0bcd".to_vec();
        first.resize(first.len() + (64 << 10), 0);
        first.push(b'e');
        assert_eq!(after, [(None, b"passive".to_vec()), (Some(16), first), (Some(131_097), b"f".to_vec())]);
    }

    #[test]
    fn what_would_not_be_the_same_stays() {
        // A later segment that reaches back, and one that code may refer to.
        let back =
            component(r#"(data "p") (data (i32.const 20) "abc") (data (i32.const 21) "x") (data (i32.const 0) "y")"#);
        assert_eq!(segments(&joined(&back).unwrap()), segments(&back));
        let late = component(r#"(data (i32.const 20) "abc") (data (i32.const 24) "x") (data "p")"#);
        assert_eq!(joined(&late).unwrap(), late);
    }

    #[test]
    fn what_is_not_well_formed_is_an_error() {
        let whole = component(r#"(data (i32.const 16) "a")"#);
        for length in [0, 4, 7, whole.len() - 1] {
            assert!(joined(&whole[..length]).is_err(), "{length}");
        }
        assert!(joined(&[whole.as_slice(), b"\x0b\xff\xff\xff\xff\x0f"].concat()).is_err());
        assert_eq!(joined(&whole[..8]).unwrap(), whole[..8]);
    }
}
