import { quorumIndex, voteResult, type VoteResult } from '../../../src/raft/core/quorum';
import { configuration, id } from './memory-log';

describe('the quorum of a simple configuration', () => {
  // One letter a voter: y for, n against, _ not heard.
  test.each<[string, VoteResult]>([
    ['', 'won'],
    ['y', 'won'],
    ['n', 'lost'],
    ['_', 'pending'],
    ['yn', 'lost'],
    ['y_', 'pending'],
    ['yy', 'won'],
    ['yy_', 'won'],
    ['yn_', 'pending'],
    ['nn_', 'lost'],
    ['yyn', 'won'],
    ['yn__', 'pending'],
    ['yynn', 'lost'],
    ['yyyn', 'won'],
    ['yy___', 'pending'],
    ['yyynn', 'won'],
    ['yynnn', 'lost'],
    ['nnn__', 'lost'],
  ])('votes %j: %s', (votes, result) => {
    const voters = [...votes].map((_, n) => n + 1);
    expect(voteResult(configuration(voters), votesOf(votes))).toBe(result);
  });

  test.each<[number[], number]>([
    [[], Number.MAX_SAFE_INTEGER],
    [[7], 7],
    [[7, 3], 3],
    [[7, 3, 5], 5],
    [[9, 0, 0], 0],
    [[9, 8, 0], 8],
    [[4, 3, 2, 1], 2],
    [[5, 4, 3, 2, 1], 3],
    [[100, 100, 101, 101, 103], 101],
  ])('acknowledged %j: committed %d', (acks, committed) => {
    const voters = acks.map((_, n) => n + 1);
    expect(quorumIndex(configuration(voters), (voter) => acks[Number.parseInt(voter, 16) - 1] ?? -1)).toBe(committed);
  });

  test('learners are never asked', () => {
    const asked: string[] = [];
    quorumIndex(configuration([1, 2, 3], [4, 5]), (voter) => asked.push(voter));
    expect(asked.sort()).toEqual([id(1), id(2), id(3)]);
  });
});

describe('the quorum of a joint configuration', () => {
  test.each<[number[], number[], string, VoteResult]>([
    [[1, 2, 3], [1, 2, 3], 'yy_', 'won'],
    [[1, 2, 3], [4, 5, 6], 'yy____', 'pending'],
    [[1, 2, 3], [4, 5, 6], 'yy_nn_', 'lost'],
    [[1, 2, 3], [4, 5, 6], 'yy_yy_', 'won'],
    [[1, 2, 3], [3, 4, 5], 'yy_y_', 'pending'],
    [[1, 2, 3], [3, 4, 5], '_yyy_', 'won'],
    [[1, 2, 3], [3, 4, 5], 'nn___', 'lost'],
    [[1], [2], 'y_', 'pending'],
    [[1], [2], '_y', 'pending'],
    [[1], [2], 'yn', 'lost'],
    [[1], [2], 'yy', 'won'],
  ])('%j leaving %j, votes %j: %s', (voters, outgoing, votes, result) => {
    expect(voteResult(configuration(voters, [], outgoing), votesOf(votes))).toBe(result);
  });

  test.each<[number[], number[], number[], number]>([
    [[1, 2, 3], [1, 2, 3], [9, 5, 1], 5],
    [[1, 2, 3], [4, 5, 6], [9, 9, 9, 1, 1, 1], 1],
    [[1, 2, 3], [4, 5, 6], [9, 8, 0, 7, 6, 0], 6],
    [[1], [2], [3, 8], 3],
    [[1], [1, 2, 3], [8, 2, 1], 2],
  ])('%j leaving %j, acknowledged %j: committed %d', (voters, outgoing, acks, committed) => {
    const joint = configuration(voters, [], outgoing);
    expect(quorumIndex(joint, (voter) => acks[Number.parseInt(voter, 16) - 1] ?? -1)).toBe(committed);
  });
});

/** What the words say, without any cleverness: compared with for every small case there is. */
describe('in every case of up to five voters', () => {
  const letters = ['y', 'n', '_'];
  const all = (length: number, of: readonly string[]): string[] =>
    length === 0 ? [''] : all(length - 1, of).flatMap((rest) => of.map((letter) => rest + letter));
  const majority = (voters: readonly number[], holds: (voter: number) => boolean): boolean =>
    voters.filter(holds).length * 2 > voters.length;
  const halves: [number[], number[]][] = [
    [[1, 2, 3], []],
    [[1, 2, 3, 4], []],
    [[1, 2, 3, 4, 5], []],
    [
      [1, 2],
      [2, 3],
    ],
    [
      [1, 2, 3],
      [1, 2, 3, 4],
    ],
    [
      [1, 2],
      [3, 4, 5],
    ],
    [[1], [1, 2, 3, 4, 5]],
  ];

  test.each(halves)(
    '%j leaving %j: an election is won by majorities, and lost when they cannot come',
    (voters, outgoing) => {
      const both = [voters, outgoing].filter((half) => half.length > 0);
      for (const votes of all(Math.max(...voters, ...outgoing), letters)) {
        const won = both.every((half) => majority(half, (voter) => votes[voter - 1] === 'y'));
        const open = both.every((half) => majority(half, (voter) => votes[voter - 1] !== 'n'));
        const result = voteResult(configuration(voters, [], outgoing), votesOf(votes));
        expect([votes, result]).toEqual([votes, won ? 'won' : open ? 'pending' : 'lost']);
        // Which half is being left makes no difference.
        if (outgoing.length > 0) expect(voteResult(configuration(outgoing, [], voters), votesOf(votes))).toBe(result);
      }
    },
  );

  test.each(halves)('%j leaving %j: committed is the highest index that majorities have', (voters, outgoing) => {
    const both = [voters, outgoing].filter((half) => half.length > 0);
    for (const acks of all(Math.max(...voters, ...outgoing), ['0', '1', '2', '3'])) {
      const has = (index: number): boolean =>
        both.every((half) => majority(half, (voter) => Number(acks[voter - 1]) >= index));
      const expected = [3, 2, 1, 0].find(has);
      const found = quorumIndex(configuration(voters, [], outgoing), (voter) =>
        Number(acks[Number.parseInt(voter, 16) - 1]),
      );
      expect([acks, found]).toEqual([acks, expected]);
    }
  });
});

function votesOf(votes: string): (voter: string) => boolean | undefined {
  return (voter) => {
    const vote = votes[Number.parseInt(voter, 16) - 1];
    return vote === undefined || vote === '_' ? undefined : vote === 'y';
  };
}
