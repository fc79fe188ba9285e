import { generateKeyPairSync } from 'node:crypto';
import { headText, rawPublicKey, signHead } from '../../src/proof/signed-head';
import { parseProof, ProofError, proofJson, type TransferProof } from '../../src/proof/transfer-proof';
import { parseKeys, verifyProof } from '../../src/proof/verify-proof';
import { CLUSTER, NODE, payment, ProofWorld } from './proof-world';

let world: ProofWorld;
beforeEach(() => {
  world = new ProofWorld();
});

describe('the proof of a transfer', () => {
  test('says what was asked for, what was decided, and where it is', async () => {
    const offset = world.add([payment('a', '1'), payment('b', '0.5'), payment('c', '2')]) + 1;
    const proof = await world.proofs.prove('b', offset);
    expect(verifyProof(proof, world.keys)).toMatchObject({
      ...{ id: 'b', offset: 2, result: 'ok', amount: '0.50', debitHandle: 1, creditHandle: 2, entry: 2, size: 2 },
      ...{ nodeId: NODE, signedAt: 1_700_000_000_000_000, command: { kind: 'transfer', debit: { name: 'Alice' } } },
    });
  });

  test('is of a refusal as of a payment, and of a repeat nothing moves', async () => {
    world.add([payment('a', '1')]);
    const other = world.add([payment('a', '7')]);
    expect(verifyProof(await world.proofs.prove('a', other), world.keys)).toMatchObject({
      ...{ result: 'exists_with_different_amount', amount: '0.00' },
    });
    const again = world.add([payment('a', '1')]);
    expect(verifyProof(await world.proofs.prove('a', again), world.keys)).toMatchObject({
      result: 'ok',
      amount: '0.00',
    });
  });

  test('finds its record behind values in the same batch', async () => {
    const offset = world.addAfterValue(payment('a', '1'));
    expect(verifyProof(await world.proofs.prove('a', offset), world.keys)).toMatchObject({ id: 'a', offset });
  });

  test('stays small, however far the log has gone on: about twenty hashes for a million entries, here ten', async () => {
    const offset = world.add([payment('a', '1')]);
    world.pass(1000);
    const proof = await world.proofs.prove('a', offset);
    expect(proof.path.length).toBeLessThanOrEqual(10);
    expect(verifyProof(proof, world.keys)).toMatchObject({ id: 'a', entry: 2, size: 1002 });
  });

  test('holds of any entry at any size of the log', async () => {
    const offsets: [string, number][] = [];
    for (let i = 0; i < 300; i++) {
      if (i % 37 === 0) offsets.push([`t${i}`, world.add([payment(`t${i}`, '1')])]);
      else world.pass(1);
    }
    for (const [id, offset] of offsets) verifyProof(await world.proofs.prove(id, offset), world.keys);
  });

  test('goes through a file', async () => {
    const offset = world.add([payment('a', '1')]);
    const proof = await world.proofs.prove('a', offset);
    expect(parseProof(JSON.stringify(proofJson(proof)))).toEqual(proof);
  });
});

describe('what does not hold is refused', () => {
  let proof: TransferProof;
  const refused = (changed: Partial<TransferProof>, keys = world.keys): string => {
    try {
      verifyProof({ ...proof, ...changed }, keys);
    } catch (error) {
      if (error instanceof ProofError) return error.message;
      throw error;
    }
    throw new Error('A proof that does not hold was taken.');
  };
  const flipped = (bytes: Buffer, at: number, bit: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ (1 << bit);
    return copy;
  };

  beforeEach(async () => {
    const offset = world.add([payment('a', '1'), payment('b', '2')]);
    world.pass(200);
    proof = await world.proofs.prove('a', offset);
  });

  test('each single bit of batch, outcomes, path, root, key and signature', () => {
    for (let at = 0; at < proof.batch.length; at++) refused({ batch: flipped(proof.batch, at, at % 8) });
    for (let at = 0; at < proof.outcomes.length; at++) {
      expect(refused({ outcomes: flipped(proof.outcomes, at, at % 8) })).toContain('not under the root');
    }
    proof.path.forEach((hash, i) => {
      refused({ path: proof.path.map((other, j) => (i === j ? flipped(hash, i % 32, i % 8) : other)) });
    });
    const { head } = proof;
    for (let at = 0; at < 32; at++) {
      expect(refused({ head: { ...head, root: flipped(head.root, at, 1) } })).toContain('signature');
      expect(refused({ head: { ...head, publicKey: flipped(head.publicKey, at, 1) } })).toContain('another key');
    }
    for (let at = 0; at < 64; at++) {
      expect(refused({ head: { ...head, signature: flipped(head.signature, at, 1) } })).toContain('signature');
    }
  });

  test('each number of the head: all of it is signed', () => {
    const { head } = proof;
    for (const changed of [{ size: head.size + 1 }, { nextOffset: 9 }, { time: 1 }, { group: 1 }]) {
      expect(refused({ head: { ...head, ...changed } })).toContain('signature');
    }
    expect(refused({ head: { ...head, nodeId: 'ee'.repeat(8) } })).toContain('not among the keys');
    expect(refused({ head: { ...head, clusterId: 'ee'.repeat(16) } })).toContain('another cluster');
  });

  test('another record, another id, another place, fewer outcomes', () => {
    expect(refused({ record: 1 })).toContain('is not the transfer "a"');
    expect(refused({ id: 'b' })).toContain('is not the transfer "b"');
    expect(refused({ record: 7 })).toContain('is not the transfer');
    expect(refused({ outcomes: proof.outcomes.subarray(64) })).toContain('bytes of outcomes');
    expect(refused({ path: proof.path.slice(1) })).toContain('not under the root');
  });

  test('a head that somebody else has signed, with a key of his own', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const forged = signHead(proof.head, privateKey);
    expect(refused({ head: forged })).toContain('another key');
    const his = { clusterId: CLUSTER, keys: new Map([[NODE, rawPublicKey(publicKey)]]) };
    expect(verifyProof({ ...proof, head: forged }, his).id).toBe('a');
  });

  test.each([
    ['no JSON', '{', 'not JSON'],
    ['another format', '{"format":"x"}', 'its format is not'],
    ['a list', '[]', 'nothing that says the proof'],
  ])('a file with %s', (_what, text, why) => {
    expect(() => parseProof(text)).toThrow(why);
  });

  test('a file in which a field is missing or of another kind', () => {
    const json = proofJson(proof) as Record<string, unknown>;
    for (const name of Object.keys(json)) {
      expect(() => parseProof(JSON.stringify({ ...json, [name]: undefined }))).toThrow(ProofError);
      expect(() => parseProof(JSON.stringify({ ...json, [name]: 1.5 }))).toThrow(ProofError);
    }
    const head = json['head'] as Record<string, unknown>;
    for (const name of Object.keys(head)) {
      expect(() => parseProof(JSON.stringify({ ...json, head: { ...head, [name]: null } }))).toThrow(ProofError);
    }
  });
});

test('keys are read from a file, and are keys', () => {
  const publicKey = [...new ProofWorld().keys.keys.values()][0]!.toString('base64');
  const file = { cluster: CLUSTER, keys: [{ node: NODE, name: 'dev', publicKey }] };
  expect(parseKeys(JSON.stringify(file)).keys.get(NODE)?.toString('base64')).toBe(publicKey);
  expect(() => parseKeys(JSON.stringify({ ...file, keys: 1 }))).toThrow(ProofError);
  expect(() => parseKeys(JSON.stringify({ ...file, cluster: 'x' }))).toThrow(ProofError);
  expect(() => parseKeys(JSON.stringify({ ...file, keys: [{ node: NODE, publicKey: 'AAAA' }] }))).toThrow('32 bytes');
});

test('what is signed is lines that any program can make', () => {
  const head = new ProofWorld().proofs.head();
  expect(headText(head)).toBe(
    `ledger-node head 1\ncluster ${CLUSTER}\ngroup 0\nnode ${NODE}\nsize 1\nroot ${head.root.toString('hex')}\n` +
      'offset 1\ntime 1700000000000000\n',
  );
});
