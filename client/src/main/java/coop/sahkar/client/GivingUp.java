package coop.sahkar.client;

import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.routing.Course;
import coop.sahkar.client.routing.Need;
import coop.sahkar.client.routing.Step.Skipped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a caller is told when nobody answers: who failed and how, who was not asked and why. */
final class GivingUp {
    private GivingUp() {}

    static Failure failure(Need need, Course course, List<Skipped> skipped) {
        List<Skipped> others =
                skipped.stream()
                        .filter(s -> course.missed().stream().noneMatch(m -> sameAs(s, m)))
                        .toList();
        return course.last()
                .map(last -> afterAsking(last.failure(), course, others))
                .orElseGet(() -> nobodyAsked(need, others));
    }

    private static boolean sameAs(Skipped skipped, Course.Miss miss) {
        return skipped.candidate().pair().equals(miss.candidate().pair());
    }

    /** One provider alone speaks for itself; of several, each is told about. */
    private static Failure afterAsking(Failure last, Course course, List<Skipped> others) {
        if (course.missed().size() == 1 && others.isEmpty()) {
            return last;
        }
        List<String> sentences = new ArrayList<>();
        for (Course.Miss miss : course.missed()) {
            sentences.add(
                    "%s: %s"
                            .formatted(
                                    miss.candidate().profile().name(), miss.failure().message()));
        }
        if (!others.isEmpty()) {
            sentences.add("Not asked: " + reasons(others) + ".");
        }
        return new Failure(
                last.kind(),
                sentences.stream().distinct().collect(Collectors.joining(" ")),
                last.field(),
                soonest(course, others),
                last.again(),
                last.problem(),
                last.cause());
    }

    private static Failure nobodyAsked(Need need, List<Skipped> skipped) {
        if (skipped.isEmpty()) {
            return Failure.of(
                    FailureKind.NOT_FOUND,
                    need.model().isEmpty()
                            ? "No provider names a model; name one in the request."
                            : "No provider offers '%s'.".formatted(need.model()));
        }
        Optional<Duration> rest = soonest(Course.NEW, skipped);
        String message = "No provider can answer this: " + reasons(skipped) + ".";
        return rest.isPresent()
                ? Failure.of(FailureKind.RATE, message).retryAfter(rest)
                : Failure.of(FailureKind.BAD_REQUEST, message);
    }

    private static String reasons(List<Skipped> skipped) {
        return skipped.stream()
                .map(s ->
                        "%s %s"
                                .formatted(
                                        s.candidate().profile().name(),
                                        s.reason().isEmpty() ? "was not needed" : s.reason()))
                .distinct()
                .collect(Collectors.joining("; "));
    }

    private static Optional<Duration> soonest(Course course, List<Skipped> skipped) {
        Optional<Duration> stated =
                course.missed().stream()
                        .flatMap(m -> m.failure().retryAfter().stream())
                        .min(Duration::compareTo);
        Optional<Duration> ready =
                skipped.stream()
                        .filter(s -> s.readyInMillis() != Long.MAX_VALUE && s.readyInMillis() > 0)
                        .map(s -> Duration.ofMillis(s.readyInMillis()))
                        .min(Duration::compareTo);
        return stated.isPresent() && ready.isPresent()
                ? Optional.of(stated.get().compareTo(ready.get()) < 0 ? stated.get() : ready.get())
                : stated.or(() -> ready);
    }
}
