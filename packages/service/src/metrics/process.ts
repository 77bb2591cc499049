/** What any process tells of itself, under the names that dashboards already know. Costs something only when asked. */
import { readdirSync, readFileSync } from 'node:fs';
import { counter, gauge } from './family.ts';
import type { Registry } from './registry.ts';

export const processMetrics = {
  cpuSeconds: counter(
    'process_cpu_seconds_total',
    'CPU time used by the process, user and system, in seconds.',
  ),
  residentBytes: gauge('process_resident_memory_bytes', 'Resident memory in bytes.'),
  virtualBytes: gauge('process_virtual_memory_bytes', 'Virtual memory in bytes.'),
  openFds: gauge('process_open_fds', 'Open file descriptors.'),
  maxFds: gauge('process_max_fds', 'Most file descriptors that may be open.'),
  startTime: gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch.'),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Part of the JavaScript heap that is in use.'),
  heapTotal: gauge('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap.'),
  external: gauge('nodejs_external_memory_bytes', 'Memory outside the heap that JavaScript objects hold.'),
  loopUtilization: gauge(
    'nodejs_eventloop_utilization_ratio',
    'Part of the time since the last scrape in which the event loop was busy.',
  ),
};

/** Adds the families above and keeps them current. */
export function addProcessMetrics(registry: Registry): void {
  const metrics = registry.add(processMetrics);
  registry.info('nodejs_version_info', 'The version of Node that runs the program.', {
    version: process.version,
  });
  metrics.startTime.set(Math.round(performance.timeOrigin) / 1000);
  let lastLoop = performance.eventLoopUtilization();
  let lastCpuSeconds = 0;
  registry.onCollect(() => {
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    metrics.cpuSeconds.add(cpuSeconds - lastCpuSeconds);
    lastCpuSeconds = cpuSeconds;
    const memory = process.memoryUsage();
    metrics.residentBytes.set(memory.rss);
    metrics.heapUsed.set(memory.heapUsed);
    metrics.heapTotal.set(memory.heapTotal);
    metrics.external.set(memory.external);
    const loop = performance.eventLoopUtilization();
    metrics.loopUtilization.set(performance.eventLoopUtilization(loop, lastLoop).utilization);
    lastLoop = loop;
    // One descriptor is the folder that is being read.
    metrics.openFds.set(readdirSync('/proc/self/fd').length - 1);
    metrics.maxFds.set(softLimit(readFileSync('/proc/self/limits', 'utf8')));
    metrics.virtualBytes.set(virtualBytes(readFileSync('/proc/self/status', 'utf8')));
  });
}

function softLimit(limits: string): number {
  const written = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return written === 'unlimited' ? Number.POSITIVE_INFINITY : Number(written);
}

function virtualBytes(status: string): number {
  return Number(/^VmSize:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
