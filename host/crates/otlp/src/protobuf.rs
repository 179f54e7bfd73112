//! Writing protobuf's binary format: what OTLP needs of it.

/// A message while it is written. Members with proto3's default are left out by
/// whoever writes them.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

impl Message {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn raw_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.raw_varint(field << 3 | kind);
    }

    pub(crate) fn varint(&mut self, field: u64, number: u64) {
        self.tag(field, VARINT);
        self.raw_varint(number);
    }

    pub(crate) fn fixed64(&mut self, field: u64, number: u64) {
        self.tag(field, FIXED64);
        self.0.extend(number.to_le_bytes());
    }

    pub(crate) fn double(&mut self, field: u64, number: f64) {
        self.fixed64(field, number.to_bits());
    }

    /// A repeated member of fixed length.
    pub(crate) fn packed64(&mut self, field: u64, numbers: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }

    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.raw_varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(crate) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub(crate) fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut message = Self::default();
        write(&mut message);
        self.bytes(field, &message.0);
    }

    /// `KeyValue` with a text (opentelemetry.proto.common.v1).
    pub(crate) fn attribute(&mut self, field: u64, key: &str, value: &str) {
        self.message(field, |pair| {
            pair.text(1, key);
            pair.message(2, |any| any.text(1, value));
        });
    }

    /// `KeyValue` with a whole number.
    pub(crate) fn number_attribute(&mut self, field: u64, key: &str, value: u64) {
        self.message(field, |pair| {
            pair.text(1, key);
            pair.message(2, |any| any.varint(3, value));
        });
    }

    /// `Resource` and `InstrumentationScope`, the first two members of what is sent.
    pub(crate) fn resource(&mut self, service: &str) {
        self.message(1, |resource| {
            resource.attribute(1, "service.name", service);
            resource.attribute(1, "service.version", env!("CARGO_PKG_VERSION"));
            resource.number_attribute(1, "process.pid", u64::from(std::process::id()));
        });
    }

    pub(crate) fn scope(&mut self) {
        self.message(1, |scope| {
            scope.text(1, "lamina");
            scope.text(2, env!("CARGO_PKG_VERSION"));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of protobuf's own description of its encoding.
    #[test]
    fn the_encodings_examples() {
        let mut message = Message::default();
        message.varint(1, 150);
        message.text(2, "testing");
        message.message(3, |inner| inner.varint(1, 150));
        message.double(4, 1.0);
        let expect = [
            &[0x08, 0x96, 0x01][..],
            b"\x12\x07testing",
            &[0x1a, 0x03, 0x08, 0x96, 0x01],
            &[0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        ]
        .concat();
        assert_eq!(message.into_bytes(), expect);
    }
}
