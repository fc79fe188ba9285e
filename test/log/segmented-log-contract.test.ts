import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import { SegmentedLog } from '../../src/log/segmented-log';
import { describeLogStore } from '../support/log-store-contract';

const root = mkdtempSync(join(tmpdir(), 'segmented-log-'));
let logs = 0;

afterAll(() => rmSync(root, { recursive: true }));

function open(options: { segmentBytes?: number; firstSegmentBytes?: number; cacheBytes?: number }) {
  logs += 1;
  const onFatal = (error: Error): never => {
    throw error;
  };
  return SegmentedLog.open({ dir: join(root, String(logs)), files: new NodeFiles(), group: 0, onFatal, ...options });
}

describeLogStore('SegmentedLog', () => open({}));

describeLogStore('SegmentedLog with small segments', () => open({ firstSegmentBytes: 4_096, segmentBytes: 16_384 }));
