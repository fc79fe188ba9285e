/** Real clusters for tests: the same processes that the benchmark measures. Build first (`npm run build`). */
export { ClusterProcess, type ClusterOptions } from '../../src/bench/cluster-process';
