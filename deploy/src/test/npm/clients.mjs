// Clients from npm, unchanged, against a running pool: node clients.mjs URL MODEL
// Prints one line of JSON for each thing that one of them was asked to get done.
import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embed, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

const [url, model] = process.argv.slice(2);
const CHAT = '/v1/chat/completions';
const NOTICE_MILLIS = 60_000;
const messages = [{ role: 'user', content: 'What is a worker?' }];
const numbers = {
  type: 'object',
  properties: { first: { type: 'integer' }, second: { enum: ['one', 'two'] } },
  required: ['first', 'second'],
  additionalProperties: false,
};

function requireNumbers(value) {
  assert.ok(Number.isInteger(value.first), JSON.stringify(value));
  assert.ok(['one', 'two'].includes(value.second), JSON.stringify(value));
}

async function abandoned() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/generations_ended_total\{outcome="abandoned"} ([0-9.]+)/.exec(text)?.[1] ?? 0);
}

/** Hangs up until the gateway has noticed: the tiny model may come to its end first. */
async function isNoticed(hangUp) {
  const before = await abandoned();
  for (const end = Date.now() + NOTICE_MILLIS; (await abandoned()) <= before;) {
    assert.ok(Date.now() < end, 'nobody noticed that the reader hung up');
    await hangUp();
  }
}

async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
}

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
const asked = { model, messages, temperature: 0, max_completion_tokens: 24 };
const add = { type: 'function', function: { name: 'add', description: 'Adds.', parameters: numbers } };
const askedToAdd = {
  ...asked,
  max_completion_tokens: 160,
  tools: [add],
  tool_choice: 'required',
  parallel_tool_calls: false,
};

const respondByAdding = {
  model,
  input: messages[0].content,
  temperature: 0,
  max_output_tokens: 160,
  tools: [{ type: 'function', name: 'add', description: 'Adds.', parameters: numbers, strict: true }],
  tool_choice: 'required',
  parallel_tool_calls: false,
};

const texts = [messages[0].content, 'A tide.'];

/** How alike two vectors of length one are. */
function product(one, other) {
  return one.reduce((sum, value, i) => sum + value * other[i], 0);
}

/** Of the same text, and of two that have nothing in common. */
function requireVectors(one, two) {
  assert.equal(two.length, 2);
  assert.ok(product(one, two[0]) > 0.999);
  assert.ok(product(one, two[1]) < 0.99);
}

const OPENAI = [
  ['/v1/embeddings', ['input', 'several inputs', 'encoding_format'], async () => {
    const vectors = async (input, format) => (await openai.embeddings.create(
      { model, input, encoding_format: format })).data.map((one) => one.embedding);
    requireVectors((await vectors(texts[0], 'float'))[0], await vectors(texts));
  }],
  ['/v1/models', ['list, retrieve'], async () => {
    const listed = await all(openai.models.list());
    assert.equal((await openai.models.retrieve(model)).id, listed[0].id);
  }],
  ['/v1/completions', ['prompt, stop, logprobs'], async () => {
    const plain = { model, prompt: 'A worker is', temperature: 0, max_tokens: 16, logprobs: 1 };
    const whole = (await openai.completions.create(plain)).choices[0];
    assert.ok(whole.logprobs.tokens.length > 0);
    const stop = whole.text.slice(3, 6);
    const stopped = (await openai.completions.create({ ...plain, stop })).choices[0];
    assert.equal(stopped.text, whole.text.slice(0, whole.text.indexOf(stop)));
  }],
  ['/v1/responses', ['input, instructions', 'previous_response_id', 'stream'], async () => {
    const respond = { model, input: messages[0].content, temperature: 0, max_output_tokens: 24 };
    const first = await openai.responses.create({ ...respond, instructions: 'Be kind.' });
    assert.ok(first.output_text.length > 0);
    const next = { ...respond, previous_response_id: first.id, stream: true };
    const events = await all(await openai.responses.create(next));
    const text = events.map((e) => (e.type === 'response.output_text.delta' ? e.delta : '')).join('');
    assert.ok(events.at(-1).response.usage.input_tokens > first.usage.output_tokens);
    assert.equal(text, events.at(-1).response.output[0].content[0].text);
  }],
  ['/v1/responses', ['tools', 'function_call_output'], async () => {
    const first = await openai.responses.create(respondByAdding);
    requireNumbers(JSON.parse(first.output[0].arguments));
    const last = await openai.responses.create({
      ...respondByAdding,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: first.output[0].call_id, output: '3' }],
      tool_choice: 'none',
      max_output_tokens: 24,
    });
    assert.ok(last.output_text.length > 0);
  }],
  ['/v1/responses', ['tools, streamed'], async () => {
    const final = await openai.responses.stream(respondByAdding).finalResponse();
    assert.equal(final.output[0].type, 'function_call');
    requireNumbers(JSON.parse(final.output[0].arguments));
  }],
  [CHAT, ['messages, usage', 'n', 'logprobs'], async () => {
    const answer = await openai.chat.completions.create({ ...asked, n: 2, logprobs: true });
    assert.equal(answer.choices.length, 2);
    assert.ok(answer.choices[0].logprobs.content.length > 0);
    assert.ok(answer.usage.prompt_tokens > 0);
  }],
  [CHAT, ['stream', 'stream_options'], async () => {
    const whole = await openai.chat.completions.create(asked);
    const chunks = await all(await openai.chat.completions.create(
      { ...asked, stream: true, stream_options: { include_usage: true } }));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(chunks.at(-1).usage.completion_tokens, whole.usage.completion_tokens);
  }],
  [CHAT, ['stop'], async () => {
    const text = (await openai.chat.completions.create(asked)).choices[0].message.content;
    const stop = text.slice(text.length / 2, text.length / 2 + 3);
    const stopped = (await openai.chat.completions.create({ ...asked, stop })).choices[0];
    assert.equal(stopped.message.content, text.slice(0, text.indexOf(stop)));
    assert.equal(stopped.finish_reason, 'stop');
  }],
  [CHAT, ['response_format: json_schema'], async () => {
    const answer = await openai.chat.completions.parse({
      ...asked,
      max_completion_tokens: 120,
      response_format: { type: 'json_schema', json_schema: { name: 'numbers', strict: true, schema: numbers } },
    });
    requireNumbers(JSON.parse(answer.choices[0].message.content));
  }],
  [CHAT, ['errors'], async () => {
    const fails = (more) => openai.chat.completions.create({ ...asked, ...more });
    await assert.rejects(fails({ model: 'gpt-9' }), OpenAI.NotFoundError);
    await assert.rejects(fails({ temperature: 9 }),
      (e) => e instanceof OpenAI.BadRequestError && e.param === 'temperature');
    await assert.rejects(fails({ messages: [{ role: 'user', content: 'word '.repeat(2000) }] }),
      (e) => e.code === 'context_length_exceeded');
  }],
  [CHAT, ['hanging up'], () => isNoticed(async () => {
    const stream = await openai.chat.completions.create(
      { ...asked, n: 8, max_completion_tokens: 400, stream: true });
    for await (const _ of stream) {
      break;
    }
  })],
  [CHAT, ['tools', 'tool_choice: required', 'parallel_tool_calls', 'role: tool'], async () => {
    const { message, finish_reason: reason } =
      (await openai.chat.completions.create(askedToAdd)).choices[0];
    assert.equal(reason, 'tool_calls');
    assert.equal(message.tool_calls.length, 1);
    requireNumbers(JSON.parse(message.tool_calls[0].function.arguments));
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '3' };
    const last = await openai.chat.completions.create(
      { ...asked, tools: [add], messages: [...messages, message, result] });
    assert.ok(last.choices[0].message.content !== '');
  }],
  [CHAT, ['tool_choice: a function', 'tools, streamed'], async () => {
    const final = await openai.chat.completions.stream(
      { ...askedToAdd, tool_choice: { type: 'function', function: { name: 'add' } } })
      .finalChatCompletion();
    requireNumbers(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments));
  }],
];

const sdk = createOpenAICompatible({
  name: 'sahkar',
  baseURL: `${url}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
})(model);
const generate = { model: sdk, messages, temperature: 0, maxOutputTokens: 24, maxRetries: 0 };

const sdkEmbedding = createOpenAICompatible({ name: 'sahkar', baseURL: `${url}/v1` })
  .textEmbeddingModel(model);

const AI_SDK = [
  ['/v1/embeddings', ['input', 'several inputs'], async () => {
    const one = (await embed({ model: sdkEmbedding, value: texts[0] })).embedding;
    requireVectors(one, (await embedMany({ model: sdkEmbedding, values: texts })).embeddings);
  }],
  [CHAT, ['messages, usage'], async () => {
    const answer = await generateText(generate);
    assert.ok(answer.text.length > 0);
    assert.ok(answer.usage.outputTokens > 0);
  }],
  [CHAT, ['stream', 'stream_options'], async () => {
    const stream = streamText(generate);
    const text = (await all(stream.textStream)).join('');
    assert.equal(text, (await generateText(generate)).text);
    assert.ok((await stream.usage).outputTokens > 0);
  }],
  [CHAT, ['stop'], async () => {
    const text = (await generateText(generate)).text;
    const stop = text.slice(text.length / 2, text.length / 2 + 3);
    const stopped = await generateText({ ...generate, stopSequences: [stop] });
    assert.equal(stopped.text, text.slice(0, text.indexOf(stop)));
    assert.equal(stopped.finishReason, 'stop');
  }],
  [CHAT, ['response_format: json_schema'], async () => {
    const output = Output.object({ schema: jsonSchema(numbers) });
    requireNumbers((await generateText({ ...generate, maxOutputTokens: 120, output })).output);
  }],
  [CHAT, ['errors'], async () => {
    await assert.rejects(generateText({ ...generate, temperature: 9 }),
      (e) => APICallError.isInstance(e) && e.statusCode === 400 && e.message.includes('temperature'));
  }],
  [CHAT, ['hanging up'], () => isNoticed(async () => {
    const hangUp = new AbortController();
    const prompt = [{ role: 'user', content: 'Tell me a story.' }];
    const stream = streamText({
      ...generate,
      messages: prompt,
      maxOutputTokens: 400,
      abortSignal: hangUp.signal,
    });
    for await (const _ of stream.textStream) {
      hangUp.abort();
      break;
    }
  })],
  [CHAT, ['tools', 'tool_choice: required', 'role: tool'], async () => {
    let added = 0;
    const sum = tool({
      description: 'Adds.',
      inputSchema: jsonSchema(numbers),
      execute: (value) => {
        requireNumbers(value);
        added++;
        return 3;
      },
    });
    await generateText({
      ...generate,
      maxOutputTokens: 100,
      tools: { add: sum },
      toolChoice: 'required',
      stopWhen: stepCountIs(1),
    });
    assert.ok(added > 0);
    const calling = [
      { role: 'assistant', content: [
        { type: 'tool-call', toolCallId: 'c1', toolName: 'add', input: { first: 1, second: 'two' } }] },
      { role: 'tool', content: [
        { type: 'tool-result', toolCallId: 'c1', toolName: 'add', output: { type: 'text', value: '3' } }] },
    ];
    const last = await generateText(
      { ...generate, tools: { add: sum }, messages: [...messages, ...calling] });
    assert.ok(last.text.length + last.toolCalls.length > 0);
  }],
  [CHAT, ['tool_choice: a function', 'tools, streamed'], async () => {
    const stream = streamText({
      ...generate,
      maxOutputTokens: 160,
      tools: { add: tool({ description: 'Adds.', inputSchema: jsonSchema(numbers) }) },
      toolChoice: { type: 'tool', toolName: 'add' },
    });
    const calls = (await all(stream.fullStream)).filter((part) => part.type === 'tool-call');
    assert.ok(calls.length > 0);
    requireNumbers(calls[0].input);
  }],
];

const ollama = new Ollama({ host: url });
const options = { temperature: 0, num_predict: 24 };

const OLLAMA = [
  ['/api/embed', ['input', 'several inputs'], async () => {
    const one = (await ollama.embed({ model, input: texts[0] })).embeddings[0];
    requireVectors(one, (await ollama.embed({ model, input: texts })).embeddings);
  }],
  ['/api/tags', ['list'], async () => {
    assert.ok((await ollama.list()).models.some((one) => one.name === model));
  }],
  ['/api/show', ['show'], async () => {
    assert.equal((await ollama.show({ model })).details.format, 'gguf');
  }],
  ['/api/generate', ['prompt, system, counts'], async () => {
    const answer = await ollama.generate({ model, prompt: messages[0].content, system: 'Be brief.', options });
    assert.ok(answer.response.length > 0);
    assert.ok(answer.eval_count > 0);
  }],
  ['/api/chat', ['messages, counts', 'stream'], async () => {
    const whole = await ollama.chat({ model, messages, options });
    assert.ok(whole.eval_count > 0);
    const lines = await all(await ollama.chat({ model, messages, options, stream: true }));
    assert.equal(lines.map((line) => line.message.content).join(''), whole.message.content);
    assert.ok(lines.at(-1).done);
  }],
  ['/api/chat', ['options.stop'], async () => {
    const text = (await ollama.chat({ model, messages, options })).message.content;
    const stop = text.slice(text.length / 2, text.length / 2 + 3);
    const stopped = await ollama.chat({ model, messages, options: { ...options, stop: [stop] } });
    assert.equal(stopped.message.content, text.slice(0, text.indexOf(stop)));
  }],
  ['/api/chat', ['format: a schema'], async () => {
    const answer = await ollama.chat(
      { model, messages, format: numbers, options: { ...options, num_predict: 120 } });
    requireNumbers(JSON.parse(answer.message.content));
  }],
  ['/api/chat', ['errors'], async () => {
    await assert.rejects(ollama.chat({ model: 'gpt-9', messages }),
      (e) => e.status_code === 404 && e.message.length > 0);
  }],
  ['/api/chat', ['hanging up'], () => isNoticed(async () => {
    const prompt = [{ role: 'user', content: 'Tell me a story.' }];
    const stream = await ollama.chat(
      { model, messages: prompt, options: { ...options, num_predict: 400 }, stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream) {
        stream.abort();
      }
      throw new Error('it came to its end first');
    });
  })],
  ['/api/chat', ['tools offered, role: tool'], async () => {
    const call = { function: { name: 'add', arguments: { first: 1, second: 'two' } } };
    const history = [
      ...messages,
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_name: 'add', content: '3' },
    ];
    const answer = await ollama.chat({ model, messages: history, tools: [add], options });
    assert.equal(answer.done, true);
  }],
];

async function run(client, cases) {
  for (const [endpoint, shows, check] of cases) {
    let error = null;
    try {
      await check();
    } catch (e) {
      error = String(e?.stack ?? e);
    }
    console.log(JSON.stringify({ client, endpoint, shows, error }));
  }
}

await run('openai 6.30.1 (npm)', OPENAI);
await run('ai 6.0.326 (npm)', AI_SDK);
await run('ollama 0.6.4 (npm)', OLLAMA);
