//! What a kill, a power cut or a bad disk leaves is named, and the rest is read.

use std::fs;

use lamina_logs::Query;

use crate::support::Bench;

#[test]
fn a_torn_tail_is_cut_at_open() {
    let bench = Bench::new();
    bench.kept("g", "one");
    let file = bench.files(".segment").remove(0);
    let whole = fs::read(&file).unwrap();
    bench.kept("g", "two");
    let longer = fs::read(&file).unwrap();
    let mut bench = bench;
    for length in whole.len()..longer.len() {
        fs::write(&file, &longer[..length]).unwrap();
        bench = bench.killed();
        assert_eq!(bench.texts("g"), ["one"], "{length}");
        assert_eq!(fs::metadata(&file).unwrap().len(), whole.len() as u64, "{length}");
        assert_eq!(bench.damage.is_empty(), length == whole.len(), "{length}: {:?}", bench.damage);
    }
    bench.kept("g", "three");
    assert_eq!(bench.killed().texts("g"), ["one", "three"]);
}

#[test]
fn a_head_that_was_cut_off_is_removed() {
    let bench = Bench::new();
    bench.kept("g", "one");
    let file = bench.files(".segment").remove(0);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..5]).unwrap();
    let bench = bench.killed();
    assert_eq!((bench.texts("g").len(), bench.files(".segment").len(), bench.damage.len()), (0, 0, 2));
    bench.kept("g", "two");
    assert_eq!(bench.texts("g"), ["two"]);
}

/// Each byte of each file, flipped: nothing panics, and nothing that differs from what
/// was written goes unsaid.
#[test]
fn every_flipped_byte_is_named() {
    let bench = Bench::new();
    bench.call("g", "a", 1, &["one"]);
    bench.store.drain();
    bench.kept("g", "two");
    bench.kept("g", "three");
    let expect = bench.texts("g");
    bench.store.set_retention("g", Some(7)).unwrap();
    bench.store.close();
    let files = [bench.files(".segment"), bench.files(".index"), bench.files("group")].concat();
    assert_eq!(files.len(), 3);
    let whole: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut bench = bench;
    // With and without its index a segment is read another way.
    for with_index in [true, false] {
        for (file, bytes) in files.iter().zip(&whole) {
            for at in 0..bytes.len() {
                for (file, bytes) in files.iter().zip(&whole) {
                    fs::write(file, bytes).unwrap();
                }
                if !with_index {
                    fs::remove_file(&files[1]).unwrap();
                    if *file == files[1] {
                        continue;
                    }
                }
                let mut changed = bytes.clone();
                changed[at] ^= 0x20;
                fs::write(file, &changed).unwrap();
                bench = bench.killed();
                let found =
                    bench.store.find("g", &Query::all(100)).map(|found| (crate::support::texts(&found), found.damage));
                let (texts, read) = found.unwrap_or_default();
                let named = bench.damage.len() + read.len();
                let name = file.file_name().unwrap();
                let head = *file == files[0] && with_index && at < 15;
                assert!(named > 0 || (head && texts == expect), "{name:?} byte {at} was not named");
                assert!(texts.iter().all(|text| expect.contains(text)), "{name:?} byte {at}: {texts:?}");
                let lost = if *file == files[0] { 4 } else { 0 };
                assert!(texts.len() + lost >= expect.len(), "{name:?} byte {at}: {texts:?}");
            }
        }
    }
}

#[test]
fn lines_after_a_broken_block_are_read() {
    let bench = Bench::new();
    bench.kept("g", "one");
    let first = fs::metadata(&bench.files(".segment")[0]).unwrap().len();
    bench.kept("g", "two");
    bench.kept("g", "three");
    let file = bench.files(".segment").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[usize::try_from(first).unwrap() + 40] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let bench = bench.killed();
    assert_eq!(bench.texts("g"), ["one", "three"]);
    let named = &bench.damage[0];
    assert_eq!((named.offset, named.file.ends_with(".segment")), (first, true), "{named}");
}

#[test]
fn a_folder_that_says_not_whose_it_is_is_left_alone() {
    let bench = Bench::new();
    bench.kept("g", "one");
    let (group, segment) = (bench.files("group").remove(0), bench.files(".segment").remove(0));
    fs::write(&group, "x").unwrap();
    // The segment says it.
    let bench = bench.killed();
    assert_eq!((bench.texts("g"), bench.damage.len()), (vec!["one".to_owned()], 1));
    fs::write(&group, "x").unwrap();
    fs::write(&segment, "y").unwrap();
    let bench = bench.killed();
    assert!(bench.texts("g").is_empty() && segment.exists());
    assert!(bench.damage[0].to_string().contains("left alone"), "{:?}", bench.damage);
}
