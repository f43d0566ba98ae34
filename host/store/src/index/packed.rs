//! Values as they are stored: packed with LZ4 where that makes them smaller, for a record of JSON says much twice.
//!
//! What is stored says which: `PLAIN` and the value, or `PACKED`, how long the value is, and what LZ4 made of it.

const PLAIN: u8 = 0;
const PACKED: u8 = 1;
/// Of shorter values next to nothing would be saved, and packing takes its time.
const MIN_PACKED_BYTES: usize = 256;
/// The journal packs alike (`packed`), in a form that is for ever; this one may change with the index's format.
///
/// LZ4 cannot say more than this many bytes with one: what claims to is not given the memory.
const MOST_UNPACKED_OF_ONE: usize = 255;

pub fn pack(value: &[u8]) -> Vec<u8> {
    let plain = || [&[PLAIN], value].concat();
    smaller(value).unwrap_or_else(plain)
}

fn smaller(value: &[u8]) -> Option<Vec<u8>> {
    if value.len() < MIN_PACKED_BYTES {
        return None;
    }
    let length = u32::try_from(value.len()).ok()?;
    let packed = [&[PACKED], length.to_le_bytes().as_slice(), &lz4_flex::block::compress(value)].concat();
    (packed.len() <= value.len()).then_some(packed)
}

/// The value, or what is wrong with what is stored.
pub fn unpack(stored: &[u8]) -> Result<Vec<u8>, &'static str> {
    match stored.split_first() {
        Some((&PLAIN, value)) => Ok(value.to_vec()),
        Some((&PACKED, packed)) => unpack_lz4(packed),
        Some(_) | None => Err("does not say how it is stored"),
    }
}

fn unpack_lz4(stored: &[u8]) -> Result<Vec<u8>, &'static str> {
    let (length, packed) = stored.split_first_chunk().ok_or("does not say how long it is")?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > packed.len().saturating_mul(MOST_UNPACKED_OF_ONE) {
        return Err("claims to be longer than so few packed bytes can hold");
    }
    let mut value = vec![0; length];
    match lz4_flex::block::decompress_into(packed, &mut value) {
        Ok(unpacked) if unpacked == length => Ok(value),
        Ok(_) | Err(_) => Err("is not as long as it says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No four bytes of it repeat near each other.
    fn noise(bytes: usize) -> Vec<u8> {
        (0..bytes as u64)
            .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 37) as u8 ^ ((at * at) >> 3) as u8)
            .collect()
    }

    #[test]
    fn a_value_of_any_length_comes_back_as_it_was() {
        for bytes in [0, 1, 255, 256, 257, 4095, 4096, 4097, 1 << 20] {
            for value in [vec![7; bytes], noise(bytes)] {
                assert!(unpack(&pack(&value)).unwrap() == value, "{bytes} bytes");
            }
        }
    }

    #[test]
    fn what_repeats_is_packed_from_256_bytes_on_and_what_does_not_is_left() {
        assert_eq!(pack(&[7; 255]).len(), 256);
        assert!(pack(&[7; 256]).len() < 30);
        assert_eq!(pack(&noise(256)).len(), 257);
        assert_eq!(pack(&noise(100_000)).len(), 100_001);
    }

    #[test]
    fn a_lie_about_the_length_is_found_before_it_has_memory() {
        let with_length = |length: u32| [&[PACKED], length.to_le_bytes().as_slice(), &pack(&[7; 9000])[5..]].concat();
        assert!(unpack(&with_length(9000)).is_ok());
        assert_eq!(unpack(&with_length(u32::MAX)), Err("claims to be longer than so few packed bytes can hold"));
        assert_eq!(unpack(&with_length(8999)), Err("is not as long as it says"));
        assert_eq!(unpack(&with_length(9001)), Err("is not as long as it says"));
    }

    #[test]
    fn what_was_never_packed_so_says_why() {
        assert_eq!(unpack(&[]), Err("does not say how it is stored"));
        assert_eq!(unpack(&[2, 7]), Err("does not say how it is stored"));
        assert_eq!(unpack(&[PACKED, 7]), Err("does not say how long it is"));
    }
}
