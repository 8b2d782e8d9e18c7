package coop.sahkar.deploy.bench;

import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The chain as a developer meets it: through the client library, the coordinator and the workers.
 */
final class Chain {
    private static final int LONGEST_RUN_SECONDS = 600;

    private final InferenceClient client;
    private final String model;

    Chain(InferenceClient client, String model) {
        this.client = client;
        this.model = model;
    }

    /** One greedy generation. */
    Speed run(String prompt, int tokens) {
        Completion done = complete(prompt, tokens);
        return Speed.of(
                done.usage().promptTokens(),
                done.timings().firstToken().toNanos(),
                done.usage().completionTokens(),
                done.timings().decode().toNanos());
    }

    /** Tokens per second of all sessions together, from the first request to the last answer. */
    double together(List<String> prompts, int tokens) throws InterruptedException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            long begun = System.nanoTime();
            List<Future<Completion>> answers = new ArrayList<>();
            for (String prompt : prompts) {
                answers.add(threads.submit(() -> complete(prompt, tokens)));
            }
            long made = 0;
            for (Future<Completion> answer : answers) {
                made +=
                        answer.get(LONGEST_RUN_SECONDS, TimeUnit.SECONDS)
                                .usage()
                                .completionTokens();
            }
            return made * 1e9 / (System.nanoTime() - begun);
        } catch (ExecutionException | java.util.concurrent.TimeoutException e) {
            throw new BenchException("A generation of the benchmark failed: " + e.getMessage(), e);
        }
    }

    private Completion complete(String prompt, int tokens) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(tokens).build();
        return client.complete(InferenceRequest.prompt(model, prompt).with(greedy));
    }
}
