use std::io::Cursor;

use super::*;

fn component() -> Vec<u8> {
    wat::parse_str(
        "(component (core module (func (export \"f\") (result i32) i32.const 7)) (@custom \"note\" \"hello\"))",
    )
    .unwrap()
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_random(&[seed; 32])
}

#[test]
fn sign_verify_strip() {
    let original = component();
    let (a, b) = (key(1), key(2));
    let signed = sign(&original, &a).unwrap();
    assert_eq!(sign(&signed, &a).unwrap(), signed, "signing twice changes nothing");
    let both = sign(&signed, &b).unwrap();
    assert_eq!(sign(&both, &a).unwrap(), both);
    let verified = verify(&both, &[b.public(), a.public(), key(3).public()]).unwrap();
    assert_eq!(verified.signers, [b.public().id(), a.public().id()]);
    assert_eq!(signers(&both).unwrap(), [a.public().id(), b.public().id()]);
    assert_eq!(unsign(&both).unwrap(), original);
    assert_eq!(unsign(&original), Err(Error::NotSigned));
    assert_eq!(verify(&original, &[a.public()]), Err(VerifyError::NotSigned));
    let others = verify(&signed, &[b.public()]);
    assert_eq!(others, Err(VerifyError::OtherSigners { signers: vec![a.public().id()] }));
}

#[test]
fn every_byte_is_covered() {
    let key = key(1);
    let signed = sign(&component(), &key).unwrap();
    for at in 0..signed.len() {
        for bit in 0..8 {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            assert!(verify(&changed, &[key.public()]).is_err(), "byte {at} bit {bit}");
        }
        assert!(verify(&signed[..at], &[key.public()]).is_err(), "cut at {at}");
    }
    let longer = [signed.as_slice(), &[0]].concat();
    assert!(verify(&longer, &[key.public()]).is_err());
    let with_section = [signed.as_slice(), &[0, 2, 1, b'x']].concat();
    assert_eq!(verify(&with_section, &[key.public()]), Err(VerifyError::Changed { signer: key.public().id() }));
}

#[test]
fn a_changed_component_can_be_signed_anew() {
    let signed = sign(&component(), &key(1)).unwrap();
    let changed = [signed.as_slice(), &[0, 2, 1, b'x']].concat();
    let again = sign(&changed, &key(2)).unwrap();
    assert_eq!(signers(&again).unwrap(), [key(2).public().id()], "the stale signature is dropped");
}

#[test]
fn a_second_signature_section_is_refused() {
    let signed = sign(&component(), &key(1)).unwrap();
    let section = signed[8..signed.len() - (component().len() - 8)].to_vec();
    let twice = [signed.as_slice(), &section].concat();
    assert!(matches!(verify(&twice, &[key(1).public()]), Err(VerifyError::File(Error::Malformed(_)))));
}

#[test]
fn a_padded_section_size_is_refused() {
    let signed = sign(&component(), &key(1)).unwrap();
    // The size takes two bytes; the same number in three.
    let (low, high) = (signed[9], signed[10]);
    assert!(low & 0x80 != 0 && high & 0x80 == 0);
    let padded = [&signed[..10], &[high | 0x80, 0], &signed[11..]].concat();
    assert!(matches!(verify(&padded, &[key(1).public()]), Err(VerifyError::File(Error::Malformed(_)))));
}

#[test]
fn what_is_no_component() {
    for bytes in [b"".as_slice(), b"\0asm\x01\0\0\0", b"PK\x03\x04", b"\0asm\x0d\0\x01"] {
        assert!(matches!(sign(bytes, &key(1)), Err(Error::NotComponent(_))));
    }
    assert!(matches!(sign(b"\0asm\x0d\0\x01\0\x01\x7f", &key(1)), Err(Error::Damaged { offset: 8, .. })));
}

/// The published convention: a foreign tool verifies what we sign, and we what
/// it signs, components included.
#[test]
fn wasmsign2_and_we_agree() {
    let ours = key(1);
    let pair = wasmsign2::KeyPair::generate();
    let foreign_public =
        wasmsign2::PublicKey::from_bytes(&[&[1], ours.public().to_bytes().as_slice()].concat()).unwrap();
    let signed = sign(&component(), &ours).unwrap();
    foreign_public.verify(&mut Cursor::new(&signed), None).unwrap();

    let module = wasmsign2::Module::deserialize(&mut Cursor::new(component())).unwrap();
    let module = pair.sk.sign(module, None).unwrap();
    let mut foreign = Vec::new();
    module.serialize(&mut foreign).unwrap();
    let public: [u8; 32] = pair.pk.to_bytes()[1..].try_into().unwrap();
    let public = PublicKey::from_bytes(&public).unwrap();
    assert_eq!(verify(&foreign, std::slice::from_ref(&public)).unwrap().signers, [public.id()]);
}

#[test]
fn keys_travel_as_pem_and_hide() {
    let secret = key(9);
    let pem = secret.to_pem().unwrap();
    assert_eq!(SecretKey::from_pem(&pem).unwrap().public(), secret.public());
    let public = secret.public().to_pem().unwrap();
    assert_eq!(PublicKey::from_pem(&public).unwrap(), secret.public());
    assert!(!format!("{secret:?}").contains("0909"));
    assert!(SecretKey::from_pem(&public).is_err() && PublicKey::from_pem(&pem).is_err());
    assert!(PublicKey::from_bytes(&[0; 32]).is_err(), "a weak key");
}
