//! Bytes that nobody would write: refused, and never a panic.

use lamina_audit::{Chain, Entry, Head};

use crate::support::{FIRST_FILE, Place};

/// A generator of its own: the same bytes on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        const LIKELY: &[u8] = b"{}[]\",:\\nuth0129 \n\x00\xff\xc3\xa9";
        if self.below(2) == 0 { LIKELY[self.below(LIKELY.len())] } else { self.next().to_le_bytes()[0] }
    }

    fn bytes(&mut self, len_max: usize) -> Vec<u8> {
        (0..self.below(len_max)).map(|_| self.byte()).collect()
    }

    /// Some of its bytes changed, put in, taken out, moved or cut.
    fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let (at, other) = (self.below(bytes.len()), self.below(bytes.len()));
            match self.below(6) {
                0 => bytes.insert(at, self.byte()),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 if !bytes.is_empty() => bytes.swap(at, other),
                3 => bytes.truncate(at),
                4 => bytes.splice(at..at, [b'['; 300]).for_each(drop),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.byte()),
            }
        }
        bytes
    }
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let place = Place::with(2, &[2]);
    let lines: Vec<String> = place.open().read(0, 2).unwrap();
    let head = String::from_utf8(place.read("heads")).unwrap().trim_end().to_owned();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut start = Chain::new();
    start.next(&lines[0]).unwrap();
    for round in 0..30_000 {
        let bytes = if round % 3 == 0 { noise.bytes(400) } else { noise.mutated(lines[1].as_bytes()) };
        let text = String::from_utf8_lossy(&bytes);
        let mut chain = start.clone();
        assert_eq!(chain.next(&text).is_ok(), text == lines[1], "{text}");
        let _ = serde_json::from_str::<Entry>(&text);
        let bytes = noise.mutated(head.as_bytes());
        let text = String::from_utf8_lossy(&bytes);
        // One that is read may be another, but then it is written as it was read.
        assert!(text.parse::<Head>().is_ok_and(|head| head.to_string() == text) || text != head, "{text}");
    }
}

#[test]
fn no_files_make_a_start_or_a_check_panic() {
    let place = Place::with(4, &[2, 4]);
    let files = [FIRST_FILE, "heads"].map(|name| (name, place.read(name)));
    let mut noise = Noise(42);
    let mut found = 0;
    for round in 0..600 {
        let mut is_changed = false;
        for (name, whole) in &files {
            let bytes = match round % 4 {
                0 => noise.bytes(2_000),
                1 => whole.clone(),
                _ => noise.mutated(whole),
            };
            is_changed |= bytes != *whole;
            place.write(name, bytes);
        }
        let verified = place.verify(None);
        // A file of heads may lose whole lines at its end, or be empty: that is a
        // log whose later heads were not signed.
        let has_entries = place.read(FIRST_FILE) == files[0].1;
        let lost_heads = has_entries && files[1].1.starts_with(&place.read("heads"));
        assert!(verified.is_err() || !is_changed || lost_heads || place.read("heads").is_empty(), "round {round}");
        found += usize::from(verified.is_err());
        let _ = place.try_open();
    }
    assert!(found > 300, "{found}");
}
