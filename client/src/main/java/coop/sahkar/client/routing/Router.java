package coop.sahkar.client.routing;

import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.routing.Course.Miss;
import coop.sahkar.client.routing.Policy.Preference;
import coop.sahkar.client.routing.Step.Skipped;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Decides who is asked next.
 *
 * <p>Goals, in this order: never break the caller's privacy or a stated limit; never ask what
 * cannot be answered; answer soon; answer by whom the caller prefers.
 *
 * <ol>
 *   <li>The caller's own mistakes end it; so does a half-delivered answer without his consent.
 *   <li>A blip is tried again at the same provider, a little later.
 *   <li>Otherwise the first in preference that is able, allowed and rested is asked.
 *   <li>If all of these rest, those that rest only because this client thinks they should are asked
 *       after all; for those that stated a time, the request waits as long as it may.
 * </ol>
 */
public final class Router {
    private Router() {}

    /** Whether a candidate may be asked, and when. */
    private record Verdict(
            Candidate candidate, long atMillis, long softUntilMillis, String reason) {
        boolean isNever() {
            return atMillis == Window.NEVER;
        }
    }

    /** The providers that know the model requested, in the caller's order. */
    public static List<Candidate> candidates(
            Need need, List<coop.sahkar.client.provider.Profile> profiles) {
        List<Candidate> found = new ArrayList<>();
        for (int i = 0; i < profiles.size(); i++) {
            int index = i;
            profiles.get(i)
                    .offer(need.model())
                    .ifPresent(o -> found.add(new Candidate(index, profiles.get(index), o)));
        }
        return found;
    }

    /** What to do now. */
    public static Step next(
            Need need,
            List<Candidate> candidates,
            Standings standings,
            Course course,
            Policy policy,
            long nowMillis) {
        List<Verdict> verdicts =
                candidates.stream()
                        .map(c -> judge(c, need, standings, course, policy, nowMillis))
                        .toList();
        if (isOver(course, policy)) {
            return giveUp(verdicts, nowMillis);
        }
        Optional<Verdict> blip = blip(verdicts, course, policy, nowMillis);
        if (blip.isPresent()) {
            return askOrWait(blip.get(), nowMillis);
        }
        Comparator<Verdict> preferred = preferred(need, standings, policy);
        Optional<Verdict> rested =
                verdicts.stream()
                        .filter(v -> Math.max(v.atMillis, v.softUntilMillis) <= nowMillis)
                        .min(preferred);
        if (rested.isPresent()) {
            return new Step.Ask(rested.get().candidate);
        }
        // Of those that never said how long they rest, the one that will be rested first.
        return verdicts.stream()
                .filter(v -> !v.isNever())
                .min(
                        Comparator.<Verdict>comparingLong(v -> Math.max(v.atMillis, nowMillis))
                                .thenComparingLong(Verdict::softUntilMillis)
                                .thenComparing(preferred))
                .filter(v -> v.atMillis - nowMillis <= waitLeft(course, policy))
                .map(v -> askOrWait(v, nowMillis))
                .orElseGet(() -> giveUp(verdicts, nowMillis));
    }

    private static Step askOrWait(Verdict verdict, long nowMillis) {
        return verdict.atMillis <= nowMillis
                ? new Step.Ask(verdict.candidate)
                : new Step.Wait(verdict.atMillis - nowMillis);
    }

    private static long waitLeft(Course course, Policy policy) {
        return policy.waitAtMost().toMillis() - course.waitedMillis();
    }

    private static boolean isOver(Course course, Policy policy) {
        return course.missed().size() >= policy.attemptsAtMost()
                || course.last().filter(m -> m.failure().kind().isFinal()).isPresent()
                || (course.delivered() && !policy.mayContinue());
    }

    private static Optional<Verdict> blip(
            List<Verdict> verdicts, Course course, Policy policy, long nowMillis) {
        return course.last()
                .filter(m -> m.failure().kind().isBlip() && !course.delivered())
                .flatMap(m ->
                        verdicts.stream()
                                .filter(v -> v.candidate.equals(m.candidate()) && !v.isNever())
                                .findFirst())
                .filter(v -> v.atMillis - nowMillis <= longestBackoff(policy))
                .filter(v -> v.atMillis - nowMillis <= waitLeft(course, policy));
    }

    /** A provider that wants a longer rest than any backoff is no blip. */
    private static long longestBackoff(Policy policy) {
        return (policy.backoff().toMillis() * 3) << Math.min(policy.retries(), 6);
    }

    private static Step giveUp(List<Verdict> verdicts, long nowMillis) {
        return new Step.GiveUp(
                verdicts.stream()
                        .map(v ->
                                new Skipped(
                                        v.candidate,
                                        v.reason,
                                        v.isNever()
                                                ? Long.MAX_VALUE
                                                : Math.max(0, v.atMillis - nowMillis)))
                        .toList());
    }

    private static Verdict judge(
            Candidate candidate,
            Need need,
            Standings standings,
            Course course,
            Policy policy,
            long nowMillis) {
        String unable = unable(candidate, need, course, policy);
        if (!unable.isEmpty()) {
            return new Verdict(candidate, Window.NEVER, 0, unable);
        }
        long room = room(candidate, need, standings, nowMillis);
        if (room == Window.NEVER) {
            return new Verdict(candidate, room, 0, "allows less than this request needs");
        }
        String reason = room > nowMillis ? "is at the limit that was set for it" : "";
        Standing standing = standings.of(candidate.pair());
        Optional<Miss> missed = course.last(candidate.pair());
        if (missed.isPresent()) {
            long stated = standing.stated() && policy.rests() ? standing.restUntilMillis() : 0;
            long again = Math.max(stated, missed.get().againAtMillis());
            return new Verdict(candidate, Math.max(room, again), 0, "failed before");
        }
        if (!policy.rests() || standing.restUntilMillis() <= nowMillis) {
            return new Verdict(candidate, room, 0, reason);
        }
        FailureKind why = standing.why();
        String rests = "rests after " + (why == null ? "a failure" : words(why));
        return standing.stated()
                ? new Verdict(candidate, Math.max(room, standing.restUntilMillis()), 0, rests)
                : new Verdict(candidate, room, standing.restUntilMillis(), rests);
    }

    private static long room(Candidate candidate, Need need, Standings standings, long nowMillis) {
        long money =
                candidate
                        .offer()
                        .price()
                        .microDollars(need.promptTokens(), need.likelyAnswerTokens());
        return standings
                .meter(candidate.profile().name())
                .roomAt(candidate.profile().allowance(), need.likelyTokens(), money, nowMillis);
    }

    /** Why this candidate cannot answer this request at all; empty when it can. */
    private static String unable(Candidate candidate, Need need, Course course, Policy policy) {
        Offer offer = candidate.offer();
        if (candidate.profile().dataUse() != DataUse.NO_TRAINING && !policy.mayTrain()) {
            return "may train on what it is sent, which the caller has not allowed";
        }
        SortedSet<Feature> lacking = new TreeSet<>(need.features());
        lacking.removeAll(offer.features());
        if (!lacking.isEmpty()) {
            return "does not offer " + words(lacking.first());
        }
        SortedSet<String> unknown = new TreeSet<>(need.parameters());
        unknown.removeAll(candidate.profile().parameters());
        if (!unknown.isEmpty()) {
            return "does not take " + String.join(", ", unknown);
        }
        int context = offer.contextTokens();
        if (context > 0 && need.surelyTokens() > context) {
            return "has a context of %d tokens, too short for this".formatted(context);
        }
        if (course.contextTooShort() > 0 && context <= course.contextTooShort()) {
            return "has no longer context than the one that was too short";
        }
        return unableAgain(candidate, need, course, policy);
    }

    private static String unableAgain(
            Candidate candidate, Need need, Course course, Policy policy) {
        Optional<Miss> missed = course.last(candidate.pair());
        if (missed.isPresent()
                && (!missed.get().failure().again()
                        || course.times(candidate.pair()) > policy.retries())) {
            return "failed";
        }
        boolean continues =
                need.features().contains(Feature.PROMPT)
                        || candidate.offer().features().contains(Feature.CONTINUATION);
        return course.delivered() && !continues ? "cannot go on with a begun answer" : "";
    }

    private static Comparator<Verdict> preferred(Need need, Standings standings, Policy policy) {
        Comparator<Verdict> first =
                switch (policy.preference()) {
                    case Preference.ORDER -> Comparator.comparingInt(v -> v.candidate.index());
                    case Preference.COST ->
                            Comparator.comparingLong(v ->
                                    v.candidate
                                            .offer()
                                            .price()
                                            .microDollars(
                                                    need.promptTokens(),
                                                    need.likelyAnswerTokens()));
                    case Preference.LATENCY ->
                            Comparator.comparingDouble(
                                    v -> standings.of(v.candidate.pair()).firstTextMillis());
                };
        return first.thenComparingInt(v -> v.candidate.index());
    }

    private static String words(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
