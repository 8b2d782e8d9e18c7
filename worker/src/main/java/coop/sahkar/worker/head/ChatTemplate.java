package coop.sahkar.worker.head;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaProcessors;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.loader.ResourceNotFoundException;
import coop.sahkar.proto.CallSyntax;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import java.io.Serial;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: turns a conversation into the text the model was trained on. Templates
 * come from strangers' files, so they run without files, without Java's methods, and with bounds on
 * what they may print and how long they may go on. Safe for use by many threads.
 */
public final class ChatTemplate {
    /** Used when the model brings none; many models know it. */
    public static final String DEFAULT_SOURCE =
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
                    + " + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
                    + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /** Characters of a template. The longest in use have about 20,000. */
    private static final int MAX_SOURCE = 256 * 1024;

    /** Nodes of the template's tree that one rendering may visit. */
    private static final long MAX_STEPS = 500_000;

    /** Elements of a list; a conversation may have {@link Limits#MAX_CHAT_MESSAGES}. */
    private static final int MAX_LIST = 2 * Limits.MAX_CHAT_MESSAGES;

    private static final int MAX_RANGE = 1_000;

    /** How long one rendering may take. */
    private static final long MAX_NANOS = 5_000_000_000L;

    private static final String STEPS = "sahkar_steps";
    static final LocalDateTime PROBE_TIME = LocalDateTime.of(2026, 1, 2, 3, 4);
    private static final Jinjava JINJAVA = jinjava();

    private final String source;
    private final String bosText;
    private final String eosText;
    private final @Nullable String unreadable;
    private final @Nullable CallSyntax calls;

    private ChatTemplate(
            String source, String bosText, String eosText, @Nullable String unreadable) {
        this.source = source;
        this.bosText = bosText;
        this.eosText = eosText;
        this.unreadable = unreadable;
        this.calls = null;
    }

    private ChatTemplate(ChatTemplate same, @Nullable CallSyntax calls) {
        this.source = same.source;
        this.bosText = same.bosText;
        this.eosText = same.eosText;
        this.unreadable = same.unreadable;
        this.calls = calls;
    }

    /** What one rendering has used up; a loop within loops would go on for years. */
    private static final class Budget {
        private final long startNanos = System.nanoTime();
        private long steps;

        void step() {
            if (++steps > MAX_STEPS || System.nanoTime() - startNanos > MAX_NANOS) {
                throw new TooLong();
            }
        }
    }

    /** What rendering came to. */
    public sealed interface Rendering {}

    /**
     * The conversation as text.
     *
     * @param startsWithBos whether it begins with the begin-of-text token's text, so that none must
     *     be put in front
     */
    public record Rendered(String text, boolean startsWithBos) implements Rendering {}

    /** It cannot be rendered. */
    public record Refused(Problem problem, boolean byTemplate) implements Rendering {}

    // An error, since Jinjava takes exceptions node by node and goes on.
    private static final class TooLong extends Error {
        @Serial private static final long serialVersionUID = 1L;

        TooLong() {
            super("it goes on for too long");
        }
    }

    /**
     * Takes a template as it stands in a GGUF; never fails, see {@link #check}.
     *
     * @param source null or blank: the default
     * @param bosText text of the begin-of-text token; empty when there is none
     * @param eosText text of the end-of-text token; empty when there is none
     */
    public static ChatTemplate of(@Nullable String source, String bosText, String eosText) {
        String given = source == null || source.isBlank() ? DEFAULT_SOURCE : source;
        if (given.length() > MAX_SOURCE) {
            return new ChatTemplate("", bosText, eosText, "it is too long");
        }
        try {
            var context = JINJAVA.getGlobalContext();
            String prepared =
                    JinjaSource.prepare(
                            given,
                            name -> context.getFilter(name) != null,
                            name -> context.getExpTest(name) != null);
            ChatTemplate template = new ChatTemplate(prepared, bosText, eosText, null);
            return given.contains("tool")
                    ? new ChatTemplate(template, ToolProbe.syntax(template))
                    : template;
        } catch (JinjaSource.Unreadable e) {
            return new ChatTemplate("", bosText, eosText, e.getMessage());
        }
    }

    /**
     * Tries the template on small conversations.
     *
     * @return why models with it must not be published; empty when it works. A template may refuse
     *     conversations by itself, such as those with a system message, but not the plainest.
     */
    public Optional<Problem> check() {
        ChatTurn system = new ChatTurn("system", "probe-of-system");
        ChatTurn user = new ChatTurn("user", "probe-of-user");
        ChatTurn assistant = new ChatTurn("assistant", "probe-of-assistant");
        Rendering plain = render(List.of(user), true, PROBE_TIME);
        if (plain instanceof Refused(Problem problem, _)) {
            return Optional.of(problem);
        }
        if (plain instanceof Rendered(String text, _) && !text.contains(user.content())) {
            return Optional.of(broken("it leaves out what the user says"));
        }
        for (List<ChatTurn> turns :
                List.of(List.of(system, user), List.of(user, assistant, user))) {
            if (render(turns, true, PROBE_TIME) instanceof Refused(Problem problem, boolean own)
                    && !own) {
                return Optional.of(problem);
            }
        }
        return Optional.empty();
    }

    /** How the model is to write calls of functions in conversations rendered here. */
    public CallSyntax callSyntax() {
        return calls == null ? CallSyntax.TAGGED : calls;
    }

    /** Renders a conversation without functions. */
    public Rendering render(List<ChatTurn> turns, boolean answerNext, LocalDateTime now) {
        return render(turns, List.of(), answerNext, now);
    }

    /**
     * Renders a conversation.
     *
     * @param tools functions that may be called; said in plain words if the template knows none
     * @param answerNext whether to end with what begins the assistant's answer
     * @param now the date that some templates put in
     */
    public Rendering render(
            List<ChatTurn> turns, List<Tool> tools, boolean answerNext, LocalDateTime now) {
        boolean functions = !tools.isEmpty() || turns.stream().anyMatch(ChatTurn::callsOrAnswers);
        return functions && calls == null
                ? renderAsIs(SpokenTools.spoken(turns, tools), List.of(), answerNext, now)
                : renderAsIs(turns, tools, answerNext, now);
    }

    /** Leaves it to the template to say what functions there are. */
    Rendering renderAsIs(
            List<ChatTurn> turns, List<Tool> tools, boolean answerNext, LocalDateTime now) {
        if (unreadable != null) {
            return new Refused(broken(unreadable), false);
        }
        Map<String, Object> variables = new HashMap<>();
        variables.put("messages", TemplateValues.messages(turns));
        if (!tools.isEmpty()) {
            variables.put("tools", TemplateValues.tools(tools));
        }
        variables.put("add_generation_prompt", answerNext);
        variables.put("bos_token", bosText);
        variables.put("eos_token", eosText);
        variables.put(TemplateFunctions.NOW, now);
        variables.put(STEPS, new Budget());
        try {
            RenderResult result = JINJAVA.renderForResult(source, variables);
            Optional<Refused> failure =
                    result.getErrors().stream().flatMap(e -> refusal(e).stream()).findFirst();
            String text = result.getOutput();
            return failure.<Rendering>map(refused -> refused)
                    .orElseGet(() ->
                            new Rendered(text, !bosText.isEmpty() && text.startsWith(bosText)));
        } catch (TemplateFunctions.Raised e) {
            return raised(e);
        } catch (RuntimeException | StackOverflowError | TooLong e) {
            return new Refused(broken(String.valueOf(e.getMessage())), false);
        }
    }

    private static Optional<Refused> refusal(TemplateError error) {
        for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
            if (cause instanceof TemplateFunctions.Raised raised) {
                return Optional.of(raised(raised));
            }
        }
        boolean harmless =
                error.getSeverity() == TemplateError.ErrorType.WARNING
                        && error.getReason() != TemplateError.ErrorReason.SYNTAX_ERROR;
        return harmless
                ? Optional.empty()
                : Optional.of(new Refused(broken(error.getMessage()), false));
    }

    private static Refused raised(TemplateFunctions.Raised raised) {
        return new Refused(
                Problem.inField(
                        "messages",
                        "The model's chat template refuses this conversation: "
                                + raised.getMessage()),
                true);
    }

    private static Problem broken(String why) {
        return Problem.of(
                Problem.Kind.INVALID_REQUEST,
                "The model's chat template cannot be used here: %s. Use plain completions, or publish"
                                .formatted(why)
                        + " the model with another template.");
    }

    private static Jinjava jinjava() {
        JinjavaConfig config =
                JinjavaConfig.newBuilder()
                        .withTrimBlocks(true)
                        .withLstripBlocks(true)
                        .withNestedInterpretationEnabled(false)
                        .withReadOnlyResolver(true)
                        .withElResolver(new PythonMethods())
                        .withMaxOutputSize(2L * Limits.MAX_PROMPT_BYTES)
                        .withMaxStringLength(2L * Limits.MAX_PROMPT_BYTES)
                        .withMaxListSize(MAX_LIST)
                        .withMaxMapSize(MAX_LIST)
                        .withRangeLimit(MAX_RANGE)
                        .withProcessors(
                                JinjavaProcessors.newBuilder()
                                        .withNodePreProcessor((_, i) -> step(i))
                                        .build())
                        .withLegacyOverrides(
                                LegacyOverrides.newBuilder()
                                        .withEvaluateMapKeys(true)
                                        .withIterateOverMapKeys(true)
                                        .withUsePyishObjectMapper(true)
                                        .withUseNaturalOperatorPrecedence(true)
                                        .withParseWhitespaceControlStrictly(true)
                                        .withAllowAdjacentTextNodes(true)
                                        .withUseTrimmingForNotesAndExpressions(true)
                                        .withKeepNullableLoopValues(true)
                                        .build())
                        .build();
        Jinjava jinjava = new Jinjava(config);
        jinjava.setResourceLocator((name, _, _) -> {
            throw new ResourceNotFoundException("templates read no files: " + name);
        });
        TemplateFunctions.all().forEach(jinjava.getGlobalContext()::registerFunction);
        jinjava.getGlobalContext().registerFilter(new TemplateFunctions.ToJson());
        return jinjava;
    }

    private static void step(JinjavaInterpreter interpreter) {
        if (interpreter.getContext().get(STEPS) instanceof Budget budget) {
            budget.step();
        }
    }
}
