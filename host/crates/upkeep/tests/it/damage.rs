//! Backups that were changed, cut or mixed up, and restores that were interrupted.

use lamina_upkeep::Refusal;

use super::*;

async fn small(place: &Place) -> PathBuf {
    let platform = Platform::open(&place.make("data", 1));
    platform.deploy("a").await;
    platform.registry.sign_audit_head().await.unwrap();
    let file = place.path("backup");
    platform.backup(&file, 0, HashSet::new()).await;
    file
}

/// Tries a file of these bytes; nothing may be left of it.
fn refused(place: &Place, bytes: &[u8]) -> Error {
    let (file, data) = (place.path("changed"), place.path("restored"));
    fs::write(&file, bytes).unwrap();
    let error = restored(&[&file], &data).unwrap_err();
    assert!(!data.exists() && !place.path("restored.new").exists(), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_anywhere_is_found() {
    let place = Place::new();
    let bytes = fs::read(small(&place).await).unwrap();
    for at in (0..bytes.len()).step_by(89) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let error = refused(&place, &changed);
        assert!(matches!(error, Error::Refused { .. }), "{at}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_off_is_found() {
    let place = Place::new();
    let bytes = fs::read(small(&place).await).unwrap();
    for length in (0..bytes.len()).step_by(499).chain([bytes.len() - 1]) {
        let error = refused(&place, &bytes[..length]);
        assert!(matches!(error, Error::Refused { reason: Refusal::Cut, .. }), "{length}: {error}");
    }
    assert!(matches!(refused(&place, &[&bytes[..], b"x"].concat()), Error::Refused { reason: Refusal::Header, .. }));
    let none = restored(&[&place.path("none")], &place.path("restored")).unwrap_err();
    assert!(matches!(none, Error::File { .. }));
}

/// Whole entries, moved or taken away: each header is right, and the manifest knows.
#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_not_as_the_manifest_says_are_found() {
    let place = Place::new();
    let bytes = fs::read(small(&place).await).unwrap();
    let mut entries = Vec::new();
    let mut at = 0;
    while bytes[at] != 0 {
        let size = std::str::from_utf8(&bytes[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        let end = at + 512 + size.div_ceil(512) * 512;
        entries.push(&bytes[at..end]);
        at = end;
    }
    let (end, count) = (&bytes[at..], entries.len());
    let tar = |order: &[usize]| {
        let parts: Vec<&[u8]> = order.iter().map(|index| entries[*index]).chain([end]).collect();
        parts.concat()
    };
    let all: Vec<usize> = (0..count).collect();
    assert_eq!(tar(&all), bytes);
    let check = |order: &[usize], expect: fn(&Refusal) -> bool| {
        let error = refused(&place, &tar(order));
        assert!(matches!(&error, Error::Refused { reason, .. } if expect(reason)), "{order:?}: {error}");
    };
    let without = |gone: usize| all.iter().copied().filter(|index| *index != gone).collect::<Vec<_>>();
    let content = |reason: &Refusal| matches!(reason, Refusal::Content(_));
    check(&without(count - 1), |reason| matches!(reason, Refusal::NoManifest));
    check(&without(1), |reason| matches!(reason, Refusal::HostKey));
    for gone in (0..count - 1).filter(|index| *index != 1) {
        check(&without(gone), content);
    }
    let mut swapped = all.clone();
    swapped.swap(0, 2);
    check(&swapped, content);
    check(&[&all[..], &[0]].concat(), |reason| matches!(reason, Refusal::Name(_)));
    check(&[&[0], &all[..]].concat(), |reason| matches!(reason, Refusal::Twice(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_not_written_over() {
    let place = Place::new();
    let file = small(&place).await;
    let taken = place.path("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("mine"), "x").unwrap();
    assert!(matches!(restored(&[&file], &taken), Err(Error::Exists(_))));
    assert_eq!(fs::read(taken.join("mine")).unwrap(), b"x");
    let named = place.path("named");
    fs::write(&named, "x").unwrap();
    assert!(matches!(restored(&[&file], &named), Err(Error::Exists(_))));
    // Somebody else's directory has the name that is worked under.
    fs::create_dir(place.path("other.new")).unwrap();
    fs::write(place.path("other.new/mine"), "x").unwrap();
    assert!(matches!(restored(&[&file], &place.path("other")), Err(Error::Exists(_))));
    assert_eq!(fs::read(place.path("other.new/mine")).unwrap(), b"x");
    // One that is empty is taken; what a killed run left is removed.
    let empty = place.path("empty");
    fs::create_dir(&empty).unwrap();
    fs::create_dir_all(place.path("empty.new/journal")).unwrap();
    fs::write(place.path("empty.new/journal/00000000000000000009.journal"), "half").unwrap();
    restored(&[&file], &empty).unwrap();
    assert!(!empty.join("journal/00000000000000000009.journal").exists() && !place.path("empty.new").exists());
    Platform::open(&empty).state().await;
}
