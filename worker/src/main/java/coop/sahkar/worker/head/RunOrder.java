package coop.sahkar.worker.head;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.ring.SamplingAdapter;
import java.io.Serial;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Optional;

/**
 * A request that was checked and tokenized: what the head's engine is to do.
 *
 * @param prompt at least one token; not to be changed
 * @param committed what an earlier head has committed after it; not to be changed
 * @param maxTokens most tokens after the prompt, {@code committed} included, cut to the context
 */
@SuppressWarnings("ArrayRecordComponent")
record RunOrder(
        Sampling sampling, int[] prompt, int[] committed, int maxTokens, List<String> stops) {

    /** The request cannot be run. */
    static final class Rejected extends Exception {
        @Serial private static final long serialVersionUID = 1L;

        private final transient Problem problem;

        Rejected(Problem problem) {
            super(problem.message(), null, false, false);
            this.problem = problem;
        }

        Problem problem() {
            return problem;
        }
    }

    /**
     * Checks a request and tokenizes its prompt.
     *
     * @param ticket what was granted
     * @param now the date that some chat templates put in
     */
    static RunOrder of(RunRequest run, Ticket ticket, HeadHost.HeadModel model, LocalDateTime now)
            throws Rejected {
        GenerateRequest request = run.getRequest();
        Vocabulary vocabulary = model.vocabulary();
        Sampling sampling = SamplingAdapter.fromWire(sampling(request, model.chatTemplate()));
        Optional<Problem> outOfRange = SamplingAdapter.check(sampling, vocabulary.size());
        if (outOfRange.isPresent()) {
            throw new Rejected(outOfRange.get());
        }
        checkStops(request.getStopList());
        int[] prompt = prompt(request, model, now);
        int[] committed = committed(run, vocabulary);
        int room = Math.min(model.contextLength(), ticket.maxPositions()) - prompt.length;
        if (room < 1 || committed.length > room) {
            throw new Rejected(tooLong(prompt.length, committed.length, room + prompt.length));
        }
        int wanted = request.getMaxTokens() == 0 ? Integer.MAX_VALUE : request.getMaxTokens();
        if (wanted < 0) {
            throw rejected("max_tokens", "max_tokens must be 0 (as many as fit) or positive.");
        }
        int most = Math.min(wanted, room);
        if (committed.length > most) {
            throw rejected(
                    "max_tokens",
                    "%d tokens are committed already and max_tokens is %d."
                            .formatted(committed.length, most));
        }
        return new RunOrder(
                sampling.grammarFrom(prompt.length),
                prompt,
                committed,
                most,
                List.copyOf(request.getStopList()));
    }

    /** A grammar for calls becomes one for calls as this model writes them. */
    private static SamplingMessage sampling(GenerateRequest request, ChatTemplate template) {
        SamplingMessage asked = request.getSampling();
        return asked.getGrammar().isEmpty() || request.getChat().getToolsCount() == 0
                ? asked
                : asked.toBuilder()
                        .setGrammar(template.callSyntax().complete(asked.getGrammar()))
                        .build();
    }

    /** The tokens of a request's prompt. */
    static int[] prompt(GenerateRequest request, HeadHost.HeadModel model, LocalDateTime now)
            throws Rejected {
        int[] tokens =
                switch (request.getInputCase()) {
                    case PROMPT -> {
                        requireBytes(utf8(request.getPrompt()), "prompt");
                        yield model.vocabulary().tokenize(request.getPrompt(), true, false);
                    }
                    case CHAT -> chat(request, model, now);
                    case INPUT_NOT_SET ->
                            throw rejected("prompt", "Give a prompt, or the messages of a chat.");
                };
        if (tokens.length == 0) {
            throw rejected(
                    "prompt", "The prompt is empty and the model has no token to begin with.");
        }
        return tokens;
    }

    private static int[] chat(GenerateRequest request, HeadHost.HeadModel model, LocalDateTime now)
            throws Rejected {
        Conversation said = Conversation.of(request.getChat());
        return switch (model.chatTemplate().render(said.turns(), said.tools(), true, now)) {
            case ChatTemplate.Refused refused -> throw new Rejected(refused.problem());
            case ChatTemplate.Rendered(String text, boolean startsWithBos) ->
                    model.vocabulary().tokenize(text, !startsWithBos, true);
        };
    }

    private static int[] committed(RunRequest run, Vocabulary vocabulary) throws Rejected {
        if (run.getCommittedCount() > Limits.MAX_POSITIONS) {
            throw rejected("committed", "More tokens are committed than a session may hold.");
        }
        int[] tokens = new int[run.getCommittedCount()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = run.getCommitted(i);
            if (tokens[i] < 0 || tokens[i] >= vocabulary.size()) {
                throw rejected(
                        "committed", "committed names a token which the model does not have.");
            }
        }
        return tokens;
    }

    private static void checkStops(List<String> stops) throws Rejected {
        if (stops.size() > Limits.MAX_STOPS) {
            throw rejected(
                    "stop",
                    "stop holds %d strings; at most %d are allowed."
                            .formatted(stops.size(), Limits.MAX_STOPS));
        }
        for (String stop : stops) {
            if (stop.isEmpty() || stop.length() > Limits.MAX_STOP_CHARS) {
                throw rejected(
                        "stop",
                        "A stop string must have 1 to %d characters, not %d."
                                .formatted(Limits.MAX_STOP_CHARS, stop.length()));
            }
        }
    }

    private static Problem tooLong(int prompt, int committed, int context) {
        String answer = committed == 0 ? "" : " and %d of the answer".formatted(committed);
        return Problem.of(
                Problem.Kind.CONTEXT_LENGTH_EXCEEDED,
                "The prompt has %d tokens%s, and the context holds %d; shorten it so that the answer has room."
                        .formatted(prompt, answer, context));
    }

    private static long utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    static void requireBytes(long bytes, String field) throws Rejected {
        if (bytes > Limits.MAX_PROMPT_BYTES) {
            throw rejected(
                    field,
                    "%s has %d bytes; at most %d are allowed."
                            .formatted(field, bytes, Limits.MAX_PROMPT_BYTES));
        }
    }

    private static Rejected rejected(String field, String message) {
        return new Rejected(Problem.inField(field, message));
    }
}
