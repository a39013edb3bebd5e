//! The prefixes of a slot's tests as one trie in code: which tests a text's beginning makes candidates.
//!
//! In: prefixes in ASCII lower case with their tests. Out: the code of a prefix function. Case is ignored, and bytes beside letters may be taken
//! for others that differ in the same bit: candidates are a superset, each is confirmed.

use std::collections::BTreeMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use ksig_runtime::plan::TestId;

use super::emit::Emitter;
use super::numbers::{finish, write};

/// Most nodes of a trie that is compiled; the prefixes of a larger slot are found by their hash.
const NODES_MAX: usize = 6000;
/// How far prefixes are followed, the most that fits; the rest is the confirmation's.
const DEPTHS: [usize; 2] = [32, 16];

/// Prefixes and the tests behind them.
#[derive(Debug, Default)]
pub(super) struct Trie {
    root: Node,
    nodes: usize,
    ids: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<u8, Node>,
    tests: Vec<TestId>,
}

impl Trie {
    /// Of prefixes in lower case; absent for none, and when it would be too large.
    pub fn of(prefixes: &[(Vec<u8>, TestId)]) -> Option<Trie> {
        let trie = |depth: &usize| {
            let mut trie = Trie::default();
            prefixes.iter().for_each(|(prefix, test)| trie.insert(&prefix[..prefix.len().min(*depth)], *test));
            (trie.nodes <= NODES_MAX).then_some(trie)
        };
        if prefixes.is_empty() { None } else { DEPTHS.iter().find_map(trie) }
    }

    fn insert(&mut self, prefix: &[u8], test: TestId) {
        let mut node = &mut self.root;
        for &byte in prefix {
            node = node.children.entry(byte).or_insert_with(|| {
                self.nodes += 1;
                Node::default()
            });
        }
        if !node.tests.contains(&test) {
            node.tests.push(test);
            self.ids += 1;
        }
    }

    /// Most ids that one walk can write.
    pub fn ids_max(&self) -> usize {
        self.ids
    }
}

/// Emits the body of a prefix function.
pub(super) fn emit(emitter: &mut Emitter<'_>, params: &[Value], trie: &Trie) {
    let (text, len, buffer) = (params[0], params[1], params[2]);
    let out = emitter.b.create_block();
    emitter.b.append_block_param(out, emitter.pointer);
    let walk = Walk { text, len, out };
    walk.node(emitter, &trie.root, 0, buffer);
    emitter.b.switch_to_block(out);
    let end = emitter.b.block_params(out)[0];
    finish(emitter, buffer, end);
}

struct Walk {
    text: Value,
    len: Value,
    /// Returns; takes the end of what was written.
    out: Block,
}

impl Walk {
    /// A node at that depth. Recursion is as deep as prefixes are long.
    fn node(&self, emitter: &mut Emitter<'_>, node: &Node, depth: usize, mut end: Value) {
        for &test in &node.tests {
            end = write(emitter, end, test);
        }
        let (run, below) = only_run(node);
        if node.children.is_empty() {
            emitter.b.ins().jump(self.out, &[end.into()]);
        } else if run.is_empty() {
            self.fork(emitter, node, depth, end);
        } else {
            self.require_len(emitter, depth + run.len(), end);
            let mask: Vec<u8> = run.iter().map(|byte| if byte.is_ascii_lowercase() { 0x20 } else { 0 }).collect();
            let equal = emitter.bytes_equal(self.text, depth, &run, &mask);
            let next = emitter.b.create_block();
            emitter.b.ins().brif(equal, next, &[], self.out, &[end.into()]);
            emitter.b.switch_to_block(next);
            self.node(emitter, below, depth + run.len(), end);
        }
    }

    fn fork(&self, emitter: &mut Emitter<'_>, node: &Node, depth: usize, end: Value) {
        self.require_len(emitter, depth + 1, end);
        let byte = emitter.load_byte(self.text, depth);
        let from_a = emitter.b.ins().iadd_imm_s(byte, -i64::from(b'A'));
        let is_capital = emitter.compare(IntCC::UnsignedLessThan, from_a, 26);
        let small = emitter.b.ins().iadd_imm_s(byte, 0x20);
        let byte = emitter.b.ins().select(is_capital, small, byte);
        let children: Vec<(u8, &Node)> = node.children.iter().map(|(byte, child)| (*byte, child)).collect();
        self.choose(emitter, &children, byte, depth, end);
    }

    /// A binary search over the children.
    fn choose(&self, emitter: &mut Emitter<'_>, children: &[(u8, &Node)], byte: Value, depth: usize, end: Value) {
        let (yes, other) = (emitter.b.create_block(), emitter.b.create_block());
        if let [(wanted, child)] = children {
            let equal = emitter.compare(IntCC::Equal, byte, i64::from(*wanted));
            emitter.b.ins().brif(equal, yes, &[], other, &[]);
            emitter.b.switch_to_block(other);
            emitter.b.ins().jump(self.out, &[end.into()]);
            emitter.b.switch_to_block(yes);
            return self.node(emitter, child, depth + 1, end);
        }
        let (low, high) = children.split_at(children.len() / 2);
        let is_below = emitter.compare(IntCC::UnsignedLessThan, byte, i64::from(high[0].0));
        emitter.b.ins().brif(is_below, yes, &[], other, &[]);
        emitter.b.switch_to_block(yes);
        self.choose(emitter, low, byte, depth, end);
        emitter.b.switch_to_block(other);
        self.choose(emitter, high, byte, depth, end);
    }

    fn require_len(&self, emitter: &mut Emitter<'_>, bytes: usize, end: Value) {
        let enough = emitter.compare(IntCC::UnsignedGreaterThanOrEqual, self.len, bytes as i64);
        let next = emitter.b.create_block();
        emitter.b.ins().brif(enough, next, &[], self.out, &[end.into()]);
        emitter.b.switch_to_block(next);
    }
}

/// The bytes that must follow a node, at least two, up to the next one that forks or has tests.
fn only_run(node: &Node) -> (Vec<u8>, &Node) {
    let mut run = Vec::new();
    let mut at = node;
    while at.children.len() == 1 && (run.is_empty() || at.tests.is_empty()) {
        let Some((byte, child)) = at.children.first_key_value() else { break };
        run.push(*byte);
        at = child;
    }
    if run.len() < 2 { (Vec::new(), node) } else { (run, at) }
}
