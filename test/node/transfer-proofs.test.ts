import { verifyProof } from '../../src/proof/verify-proof';
import { payment, ProofWorld } from '../proof/proof-world';

let world: ProofWorld;
beforeEach(() => {
  world = new ProofWorld();
});

describe('making proofs', () => {
  test('reads the block that the entry is in, and no more of the log', async () => {
    const offset = world.add([payment('a', '1')]);
    world.pass(2000);
    world.loads = 0;
    await world.proofs.prove('a', offset);
    // One for the batch itself, and 128 leaves in steps of at most 41.
    expect(world.loads).toBeLessThanOrEqual(5);
  });

  test('holds also where the block becomes whole while the batch is read', async () => {
    world.pass(120);
    const offset = world.add([payment('a', '1')]);
    world.beforeLoad = () => {
      world.beforeLoad = () => undefined;
      world.pass(50);
    };
    const proof = await world.proofs.prove('a', offset);
    expect(verifyProof(proof, world.keys)).toMatchObject({ id: 'a', entry: 122, size: 172 });
  });

  test('says that it cannot where nobody holds that part of the log any more', async () => {
    const offset = world.add([payment('a', '1')]);
    world.pass(300);
    world.firstIndex = 3;
    await expect(world.proofs.prove('a', offset)).rejects.toMatchObject({ reason: 'PROOF_NOT_AVAILABLE' });
    await expect(world.proofs.prove('a', 99)).rejects.toMatchObject({ reason: 'PROOF_NOT_AVAILABLE' });
    // The block begins before what is left, though the transfer itself is there.
    const later = world.add([payment('b', '1')]);
    world.firstIndex = 302;
    expect((await world.proofs.prove('b', later)).id).toBe('b');
    world.pass(200);
    await expect(world.proofs.prove('b', later)).rejects.toMatchObject({ reason: 'PROOF_NOT_AVAILABLE' });
  });

  test('proves nothing from a log that is not the one of the state', async () => {
    const offset = world.add([payment('a', '1')]);
    world.pass(300);
    const wrong = world.batches[5]!;
    world.batches[5] = { ...wrong, batch: Buffer.from(wrong.batch) };
    world.batches[5].batch[140]! ^= 1;
    await expect(world.proofs.prove('a', offset)).rejects.toThrow('is not the one that this state was made of');
  });

  test('makes one at a time and lets a bounded number wait; a failure does not stop those behind it', async () => {
    const offset = world.add([payment('a', '1')]);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    world.beforeLoad = () => gate;
    const all = Array.from({ length: 20 }, (_, i) => {
      try {
        return world.proofs.prove('a', i === 0 ? 99 : offset).then(
          () => 'proof',
          (error: { reason: string }) => error.reason,
        );
      } catch (error) {
        return Promise.resolve((error as { reason: string }).reason);
      }
    });
    open();
    const ends = await Promise.all(all);
    expect(ends.slice(0, 2)).toEqual(['PROOF_NOT_AVAILABLE', 'proof']);
    expect(ends.filter((end) => end === 'proof')).toHaveLength(15);
    expect(ends.slice(16)).toEqual(['OVERLOADED', 'OVERLOADED', 'OVERLOADED', 'OVERLOADED']);
    expect((await world.proofs.prove('a', offset)).id).toBe('a');
  });
});
