import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/admin/metrics.ts';

/** The lines that are ours, without comments. */
async function readSamples(metrics: ReturnType<typeof createMetrics>): Promise<readonly string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith('enrollment_token_bff_'));
}

test('everything measured shows under its name, with bounded labels', async () => {
  const metrics = createMetrics({ now: () => 0 });
  metrics.request('createToken', 204, 0.02);
  metrics.exchange('success', 0.1);
  metrics.graphCall('failed', 0.2);
  metrics.cacheLookup('exchange', 'hit');
  metrics.cacheLookup('verified_tokens', 'miss');
  metrics.limiterDecision('user', 'shadow_refused');
  metrics.limiterDegraded(true);
  metrics.auditAppend('success', 0.0004);
  metrics.refusal('rate_limited');
  metrics.certificateExpiresAt(36 * 60 * 60 * 1000);
  const samples = await readSamples(metrics);
  for (const sample of [
    'enrollment_token_bff_http_requests_total{operation="createToken",status="204"} 1',
    'enrollment_token_bff_http_request_duration_seconds_bucket{le="0.025",operation="createToken"} 1',
    'enrollment_token_bff_http_request_duration_seconds_bucket{le="0.01",operation="createToken"} 0',
    'enrollment_token_bff_exchange_calls_total{result="success"} 1',
    'enrollment_token_bff_exchange_call_duration_seconds_sum{result="success"} 0.1',
    'enrollment_token_bff_graph_calls_total{result="failed"} 1',
    'enrollment_token_bff_graph_call_duration_seconds_sum{result="failed"} 0.2',
    'enrollment_token_bff_cache_lookups_total{cache="exchange",result="hit"} 1',
    'enrollment_token_bff_cache_lookups_total{cache="verified_tokens",result="miss"} 1',
    'enrollment_token_bff_limiter_decisions_total{tier="user",result="shadow_refused"} 1',
    'enrollment_token_bff_limiter_degraded 1',
    'enrollment_token_bff_audit_appends_total{result="success"} 1',
    'enrollment_token_bff_audit_append_duration_seconds_sum{result="success"} 0.0004',
    'enrollment_token_bff_refusals_total{code="rate_limited"} 1',
    'enrollment_token_bff_certificate_remaining_days 1.5',
  ]) {
    assert.ok(samples.includes(sample), sample);
  }
  assert.match(await metrics.text(), /^process_cpu_user_seconds_total /m);
});

test('a certificate that does not exist raises no alarm, and a new one counts', async () => {
  let time = 0;
  const metrics = createMetrics({ now: () => time });
  assert.doesNotMatch(await metrics.text(), /certificate_remaining_days/);
  metrics.certificateExpiresAt(0);
  metrics.certificateExpiresAt(3 * 24 * 60 * 60 * 1000);
  time = 24 * 60 * 60 * 1000;
  assert.match(await metrics.text(), /certificate_remaining_days 2$/m);
});

test('no flood of operations makes a flood of series', async () => {
  const metrics = createMetrics();
  for (let index = 0; index < 500; index++) metrics.request(`operation-${index}`, 200, 0);
  const samples = await readSamples(metrics);
  assert.ok(samples.length < 1000, `${samples.length} samples`);
  assert.ok(samples.includes('enrollment_token_bff_http_requests_total{operation="other",status="200"} 460'));
});

test('two instances share nothing', async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.refusal('rate_limited');
  assert.doesNotMatch(await two.text(), /refusals_total\{/);
});
