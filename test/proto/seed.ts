/** The seed of this run's random tests: PROTO_SEED, or a new one, printed with the command that repeats them. */
export const SEED = Number(process.env['PROTO_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

process.stderr.write(`to repeat: PROTO_SEED=${SEED} npx jest test/proto\n`);
