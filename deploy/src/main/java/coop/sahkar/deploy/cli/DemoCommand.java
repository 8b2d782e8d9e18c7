package coop.sahkar.deploy.cli;

import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.chat.ChatLoop;
import coop.sahkar.deploy.chat.Conversation;
import coop.sahkar.deploy.chat.Stats;
import coop.sahkar.deploy.demo.Chaos;
import coop.sahkar.deploy.demo.DemoException;
import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.deploy.terminal.Streams;
import coop.sahkar.governance.Policy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar demo}. */
@Command(
        name = "demo",
        description = {
            "Show the whole thing at work on this machine.",
            "",
            "It starts a coordinator, three worker processes, and a small model of which each worker holds a third.",
            "",
            "With a PROMPT it prints the answer and exits. Without, it shows the chain, the addresses and a curl line, opens a conversation, and stays until Ctrl-C. Nothing is left behind.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar demo \"What is a worker?\"",
            "  sahkar demo",
            "  sahkar demo --chaos \"What is a worker?\"",
            "  sahkar demo --workers 2 --model other.gguf \"Once upon a time\""
        })
final class DemoCommand extends Subcommand {
    private static final int WORKERS = 3;
    private static final int CHAOS_WORKERS = 5;
    private static final int CHAOS_STAGES = 3;
    private static final int MOST_WORKERS = 64;
    private static final String BUNDLED = "models/sahkar-tiny/sahkar-tiny-Q8_0.gguf";

    @Option(
            names = "--workers",
            paramLabel = "N",
            description =
                    "How many workers; each holds a part of the model. Default: 3, or 5 with --chaos.")
    private @Nullable Integer workers;

    @Option(
            names = "--chaos",
            description = {
                "Kill a worker in the middle of every answer, and watch the text go on.",
                "The first worker of the chain, one between and the last are killed in turn, and started again. With a PROMPT: three times; the exit code is 0 only if all three answers are the same as without. Without: until Ctrl-C."
            })
    private boolean chaos;

    @Option(
            names = "--model",
            paramLabel = "FILE.gguf",
            description = "Another model than the bundled Sahkar Tiny.")
    private @Nullable Path model;

    @Parameters(paramLabel = "PROMPT", arity = "0..*", description = "What to ask.")
    private List<String> prompt = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        int usual = chaos ? CHAOS_WORKERS : WORKERS;
        int crew = workers == null ? usual : workers;
        if (crew < 1 || crew > MOST_WORKERS) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--workers takes a number from 1 to %d.".formatted(MOST_WORKERS));
        }
        Path home = Home.folder();
        Path chosen = model == null ? home.resolve(BUNDLED) : model;
        if (!Files.isReadable(chosen)) {
            throw new CommandFailure(
                    ExitCode.USAGE, "%s is no file that can be read.".formatted(chosen));
        }
        long begun = System.nanoTime();
        try (Lifetime lifetime = new Lifetime()) {
            step("starting a coordinator");
            DemoPool pool = lifetime.add(DemoPool.start(Policy.DEFAULT));
            int stages = chaos ? Math.min(CHAOS_STAGES, crew) : crew;
            pool.serve(Home.launcher(), chosen, new DemoPool.Crew(crew, 1), stages, this::step);
            note(
                    "demo: ready after %.1f s at %s"
                            .formatted((System.nanoTime() - begun) / 1e9, pool.url()));
            InferenceClient client = lifetime.add(InferenceClient.connect(pool.address()));
            if (chaos) {
                return new ChaosShow(new Chaos(pool, client), out(), this::note)
                        .run(String.join(" ", prompt));
            }
            GenerationOptions greedy = GenerationOptions.builder().temperature(0).build();
            Conversation conversation = new Conversation(client, pool.modelId(), "", greedy);
            return prompt.isEmpty()
                    ? stay(pool, conversation, lifetime)
                    : answer(conversation, String.join(" ", prompt));
        } catch (DemoException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private void step(String what) {
        note("demo: " + what + " ...");
    }

    private int answer(Conversation conversation, String question) {
        PrintWriter out = out();
        conversation.ask(
                question,
                text -> {
                    out.print(text);
                    out.flush();
                });
        out.println();
        out.flush();
        conversation.last().map(Stats::of).ifPresent(this::note);
        return ExitCode.OK;
    }

    private int stay(DemoPool pool, Conversation conversation, Lifetime lifetime)
            throws IOException, InterruptedException {
        note("");
        note(pool.picture());
        note("");
        note(
                "Try it from another terminal, or point any OpenAI client at %s/v1:"
                        .formatted(pool.url()));
        note(
                """
                  curl -N %s/v1/chat/completions -H 'content-type: application/json' \\
                    -d '{"model":"%s","stream":true,"temperature":0,"messages":[{"role":"user","content":"What is a worker?"}]}'
                  sahkar status --coordinator %s
                """
                        .formatted(pool.url(), name(pool.modelId()), pool.address()));
        if (!Streams.inputIsTerminal()) {
            note("Running until Ctrl-C.");
            lifetime.await();
            return ExitCode.OK;
        }
        ChatLoop loop = new ChatLoop(conversation, HistoryFile.ready(System.getenv()));
        return switch (loop.run()) {
            case DONE -> ExitCode.OK;
            case INTERRUPTED -> ExitCode.INTERRUPTED;
        };
    }

    private static String name(String modelId) {
        return modelId.substring(0, Math.max(0, modelId.indexOf('@')));
    }
}
