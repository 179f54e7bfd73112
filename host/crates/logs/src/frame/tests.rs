use std::sync::Arc;

use lamina_kit::{Ids, SeededIds};
use lamina_telemetry::LineRef;
use lamina_types::RequestId;
use proptest::prelude::*;

use super::*;
use crate::encode;

/// A line as a test makes it: time, stream, call, text.
type Made = (u64, u8, Option<u8>, String);

fn made() -> impl Strategy<Value = Vec<Made>> {
    proptest::collection::vec((any::<u64>(), 0..3u8, proptest::option::of(0..3u8), ".{0,20}|LBLK.{0,5}"), 1..20)
}

fn encoded(first: u64, lines: &[Made], taken: u64) -> Vec<u8> {
    let streams: Vec<Arc<str>> = (0..3).map(|number| format!("2026/11/26/[$LATEST]{number}").into()).collect();
    let calls: Vec<RequestId> = (0..3).map(|seed| RequestId::from_random(SeededIds::new(seed).random16())).collect();
    let line =
        |(at, (time, stream, call, message)): (usize, &Made)| -> (u64, Timestamp, Arc<str>, Option<RequestId>, String) {
            let call = call.map(|call| calls[usize::from(call)].clone());
            (first + at as u64, Timestamp(*time), streams[usize::from(*stream)].clone(), call, message.clone())
        };
    let all: Vec<_> = lines.iter().enumerate().map(line).collect();
    let refs = all.iter().map(|(sequence, time, stream, call, message)| LineRef {
        sequence: *sequence,
        time: *time,
        stream,
        call: call.as_ref(),
        message,
    });
    encode::block(refs, Timestamp(taken)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_come_back(lines in made(), first in 1..u64::from(u32::MAX), taken in any::<u64>(), behind in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = encoded(first, &lines, taken);
        let length = bytes.len();
        // What follows is none of its business.
        bytes.extend_from_slice(&behind);
        let block = Block::read(&bytes).unwrap();
        prop_assert_eq!((block.length, block.taken, block.first_sequence), (length, Timestamp(taken), first));
        let found: Vec<_> = block.lines().collect();
        prop_assert_eq!(found.len(), lines.len());
        for (at, (line, (time, stream, call, message))) in found.iter().zip(&lines).enumerate() {
            prop_assert_eq!((line.sequence, line.time, line.message), (first + at as u64, Timestamp(*time), message.as_str()));
            prop_assert!(line.stream.ends_with(&stream.to_string()));
            prop_assert_eq!(line.call.is_some(), call.is_some());
        }
    }

    #[test]
    fn any_change_is_found(lines in made(), at in any::<prop::sample::Index>(), by in 1..=255u8) {
        let mut bytes = encoded(1, &lines, 1);
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(Block::read(&bytes).is_err());
    }

    /// Bytes of no block: nothing panics, and none is found in them.
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Block::read(&bytes).is_err());
        let _ = read_head(&bytes);
        prop_assert_eq!(next_block(&bytes, 0), None);
    }

    /// A body that passes its check, and is not what was ever written: as an attacker
    /// with the disk in hand makes it.
    #[test]
    fn any_body_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = BLOCK_MAGIC.to_vec();
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[7; 16]);
        bytes.extend_from_slice(&body);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[4..8]);
        hasher.update(&bytes[12..]);
        let check = hasher.finalize().to_le_bytes();
        bytes[8..12].copy_from_slice(&check);
        if let Ok(block) = Block::read(&bytes) {
            prop_assert!(block.lines().count() <= body.len());
        }
    }

    #[test]
    fn a_block_is_found_behind_anything(before in proptest::collection::vec(any::<u8>(), 0..60), lines in made()) {
        let mut bytes = before.clone();
        bytes.extend_from_slice(&encoded(1, &lines, 1));
        prop_assert_eq!(next_block(&bytes, 0), Some(before.len()));
    }
}
