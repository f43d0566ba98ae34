//! What the host and its compiler say to each other over one socket: terms and a component there, one answer back.

/// How long the head of an answer is: what it is, and how many bytes follow.
pub const HEAD_BYTES: usize = 9;
/// Of an answer in words.
pub const MOST_WORDS_BYTES: u64 = 4 << 10;

/// Comes before the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    pub component_bytes: u64,
}

impl Terms {
    pub const BYTES: usize = 24;

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers = [self.memory_bytes, self.cpu_seconds, self.component_bytes];
        bytes.as_chunks_mut().0.iter_mut().zip(numbers).for_each(|(place, number)| *place = number.to_le_bytes());
        bytes
    }

    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let number = |place: usize| u64::from_le_bytes(bytes.as_chunks().0[place]);
        Self { memory_bytes: number(0), cpu_seconds: number(1), component_bytes: number(2) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The compiled code follows.
    Code,
    /// Why it does not compile; the component's fault.
    Broken,
    /// Why the compiler did not even begin; this machine's fault.
    Unready,
}

impl Said {
    pub fn head(self, bytes: u64) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[0] = match self {
            Said::Code => b'C',
            Said::Broken => b'B',
            Said::Unready => b'U',
        };
        head[1..].copy_from_slice(&bytes.to_le_bytes());
        head
    }

    /// None for what no compiler of ours says.
    pub fn from_head([tag, length @ ..]: [u8; HEAD_BYTES]) -> Option<(Self, u64)> {
        let said = match tag {
            b'C' => Said::Code,
            b'B' => Said::Broken,
            b'U' => Said::Unready,
            _ => return None,
        };
        Some((said, u64::from_le_bytes(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let terms = Terms { memory_bytes: 2 << 30, cpu_seconds: 7, component_bytes: u64::MAX };
        assert_eq!(Terms::from_bytes(terms.to_bytes()), terms);
        for said in [Said::Code, Said::Broken, Said::Unready] {
            assert_eq!(Said::from_head(said.head(258)), Some((said, 258)));
        }
        assert_eq!(Said::from_head(*b"garbage!!"), None);
    }
}
