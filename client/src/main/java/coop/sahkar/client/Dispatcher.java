package coop.sahkar.client;

import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Candidate;
import coop.sahkar.client.routing.Course;
import coop.sahkar.client.routing.Need;
import coop.sahkar.client.routing.Policy;
import coop.sahkar.client.routing.Router;
import coop.sahkar.client.routing.Standings;
import coop.sahkar.client.routing.Step;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The router with a clock, chance and a memory that all requests of a client share. Deciding and
 * counting are one step under a lock, so that requests at the same time don't pass a limit
 * together.
 */
final class Dispatcher {
    private final List<Provider> providers;
    private final List<Profile> profiles;
    private final ClientListener listener;
    private Standings standings = Standings.NONE;

    Dispatcher(List<Provider> providers, ClientListener listener) {
        this.providers = List.copyOf(providers);
        this.profiles = this.providers.stream().map(Provider::profile).toList();
        this.listener = listener;
        Set<String> names = new HashSet<>();
        for (Profile profile : profiles) {
            if (!names.add(profile.name())) {
                throw new IllegalArgumentException(
                        "two providers are called '%s'; give one another name"
                                .formatted(profile.name()));
            }
        }
    }

    List<Provider> providers() {
        return providers;
    }

    ClientListener listener() {
        return listener;
    }

    Provider provider(Candidate candidate) {
        return providers.get(candidate.index());
    }

    List<Candidate> candidates(Need need) {
        return Router.candidates(need, profiles);
    }

    /** Decides, and counts the request if somebody is to be asked. */
    synchronized Step next(Need need, List<Candidate> candidates, Course course, Policy policy) {
        long now = nowMillis();
        Step step = Router.next(need, candidates, standings, course, policy, now);
        if (step instanceof Step.Ask(Candidate candidate)) {
            standings = standings.begun(candidate, need, now);
        }
        return step;
    }

    synchronized Course failed(Candidate candidate, Failure failure, Course course, Policy policy) {
        long now = nowMillis();
        if (policy.rests()) {
            standings = standings.failed(candidate.pair(), failure, now);
        }
        double chance = ThreadLocalRandom.current().nextDouble();
        return course.missed(candidate, failure, policy, now, chance);
    }

    synchronized void answered(Candidate candidate, Duration toText) {
        standings = standings.answered(candidate.pair(), toText.toMillis());
    }

    synchronized void exhausted(Candidate candidate, Duration rest) {
        standings = standings.exhausted(candidate.pair(), rest, nowMillis());
    }

    synchronized void ended(
            Candidate candidate, Need need, Completion.Usage usage, long begunMillis) {
        standings =
                standings.ended(
                        candidate,
                        need,
                        usage.promptTokens(),
                        usage.completionTokens(),
                        begunMillis,
                        nowMillis());
    }

    void close() {
        providers.forEach(Provider::close);
    }

    /** Milliseconds of a clock that nobody sets. */
    static long nowMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
