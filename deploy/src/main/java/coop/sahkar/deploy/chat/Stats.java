package coop.sahkar.deploy.chat;

import coop.sahkar.client.Completion;
import coop.sahkar.client.Part;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.proto.RouteStage;
import java.util.Locale;
import java.util.stream.Collectors;

/** What an answer took, in a line or two. */
public final class Stats {
    private Stats() {}

    /** Tokens, speed, time to the first token, and the workers that answered. */
    public static String of(Completion answer) {
        String route =
                answer.answering().route().stream()
                        .map(Stats::stage)
                        .collect(Collectors.joining(" > "));
        return String.format(
                Locale.ROOT,
                "%s%d tokens in, %d out, %.1f tokens/s, first after %d ms%s%s",
                answer.usage().estimated() ? "about " : "",
                answer.usage().promptTokens(),
                answer.usage().completionTokens(),
                answer.tokensPerSecond(),
                answer.timings().firstToken().toMillis(),
                route.isEmpty() ? "" : "\nthrough " + route,
                answeredBy(answer));
    }

    /** Who answered instead of the pool, or went on after it. */
    private static String answeredBy(Completion answer) {
        if (answer.tried().isEmpty() && !answer.continued()) {
            return "";
        }
        return "\nanswered by "
                + answer.parts().stream()
                        .map(Part::provider)
                        .collect(Collectors.joining(", then "));
    }

    private static String stage(RouteStage stage) {
        return stage.workerId() + " (blocks " + Amounts.blocks(stage.span()) + ")";
    }
}
