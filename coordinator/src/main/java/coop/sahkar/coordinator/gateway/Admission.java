package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.gateway.AdmissionQueue.Waiter;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteDesk;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.proto.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets generations in where a chain of workers has room for them, and lets the others wait, a
 * bounded number for a bounded time, in fair turns. Room is looked for when somebody leaves, and
 * again and again, since workers and other coordinators give room back too. Thread-safe; nobody is
 * answered while its lock is held.
 */
final class Admission {
    /** Pause between two looks for room while somebody waits. */
    static final int LOOK_MILLIS = 200;

    private final GatewayPool pool;
    private final ScheduledExecutorService timer;
    private final LongSupplier clockMillis;
    private final AdmissionQueue<Asking> queue;
    private final Map<Applicant, Asking> inside = new LinkedHashMap<>();
    private boolean looking;
    private boolean closed;

    /** Who wants to be let in. */
    interface Applicant {
        /** A route to go, or why there is none. Called at most once for each time it asked. */
        void routed(RouteAnswer answer);
    }

    private record Asking(Applicant who, String account, RouteWish wish, long sinceMillis) {
        Waiter<Asking> waiter() {
            return new Waiter<>(this, account, wish.model(), sinceMillis);
        }
    }

    private record Reply(Applicant who, RouteAnswer answer) {}

    Admission(GatewayPool pool, ScheduledExecutorService timer, LongSupplier clockMillis) {
        this.pool = pool;
        this.timer = timer;
        this.clockMillis = clockMillis;
        this.queue = new AdmissionQueue<>(account -> pool.usage().turnWeight(account));
    }

    /** Draws a route; where the bound counts bytes and does not fit, without one. */
    static RouteAnswer draw(RouteDesk desk, RouteWish wish) {
        RouteAnswer answer = desk.draw(wish);
        boolean tooLong =
                answer instanceof RouteAnswer.None(var problem, var _)
                        && problem.kind() == Problem.Kind.CONTEXT_LENGTH_EXCEEDED;
        // The bound counts bytes: the request may fit, and the head, which counts tokens, decides.
        return tooLong && wish.positions() > 0 ? desk.draw(wish.withPositions(0)) : answer;
    }

    /**
     * Somebody asks to be let in; it is answered at once or later. It leaves by {@link #left}.
     *
     * @param account whom it takes its turn for
     */
    void enter(Applicant who, String account, RouteWish wish) {
        List<Reply> replies = new ArrayList<>();
        synchronized (this) {
            Asking asking = new Asking(who, account, wish, clockMillis.getAsLong());
            boolean behindOthers = queue.waitsFor(wish.model());
            queue.add(asking.waiter());
            Map<String, Problem> full = behindOthers ? Map.of() : serve(replies);
            if (!inside.containsKey(who)
                    && (closed || queue.tooLong(account, pool.maxWaitingGenerations()))) {
                queue.removeIf(waiter -> waiter.who().equals(asking));
                replies.add(new Reply(who, refusal(full.get(wish.model()))));
            }
            lookLater();
        }
        reply(replies);
    }

    /**
     * Somebody who was let in found its workers full after all: it waits on, ahead of the others of
     * its account.
     *
     * @return false when it has waited for long enough, or nobody may wait; it is not answered then
     */
    synchronized boolean again(Applicant who, RouteWish wish) {
        Asking before = inside.get(who);
        long now = clockMillis.getAsLong();
        if (before == null || closed || pool.maxWaitingGenerations() == 0 || late(before, now)) {
            return false;
        }
        Asking asking = new Asking(who, before.account(), wish, before.sinceMillis());
        inside.put(who, asking);
        queue.addFirst(asking.waiter());
        lookLater();
        return true;
    }

    /** Somebody goes on who was let in at another coordinator: it has its place already. */
    synchronized void goOn(Applicant who, String account, RouteWish wish) {
        inside.put(who, new Asking(who, account, wish, clockMillis.getAsLong()));
    }

    /** Somebody is done, or has given up. */
    void left(Applicant who) {
        List<Reply> replies = new ArrayList<>();
        synchronized (this) {
            queue.removeIf(waiter -> waiter.who().who().equals(who));
            if (inside.remove(who) != null) {
                serve(replies);
            }
        }
        reply(replies);
    }

    /** Generations let in. */
    synchronized int inside() {
        return inside.size();
    }

    /** Requests that wait. */
    synchronized int waiting() {
        return queue.size();
    }

    /** Lets nobody in any more; those who wait are refused. */
    void close() {
        List<Reply> replies = new ArrayList<>();
        synchronized (this) {
            closed = true;
            for (Waiter<Asking> waiter : queue.removeIf(_ -> true)) {
                replies.add(
                        new Reply(
                                waiter.who().who(),
                                new RouteAnswer.None(Problems.coordinatorStops())));
            }
        }
        reply(replies);
    }

    /**
     * Gives room to whoever's turn it is until there is none.
     *
     * @return the models without room, and what the desk said of each
     */
    private Map<String, Problem> serve(List<Reply> replies) {
        Map<String, Problem> full = new LinkedHashMap<>();
        Set<String> skipped = new TreeSet<>();
        Optional<Waiter<Asking>> next = queue.next(skipped);
        while (next.isPresent()) {
            Asking asking = next.get().who();
            Problem refused = tryServe(next.get(), asking, replies);
            if (refused != null) {
                full.put(asking.wish().model(), refused);
                skipped.add(asking.wish().model());
            }
            next = queue.next(skipped);
        }
        return full;
    }

    private @Nullable Problem tryServe(Waiter<Asking> waiter, Asking asking, List<Reply> replies) {
        int most = pool.maxConcurrentGenerations();
        if (!inside.containsKey(asking.who()) && inside.size() >= most) {
            return Problem.of(
                    Problem.Kind.OVERLOADED,
                    "%d generations are running, as many as this coordinator allows; try again soon."
                            .formatted(most));
        }
        RouteAnswer answer = draw(pool.routes(), asking.wish());
        if (answer instanceof RouteAnswer.None(var problem, var _) && waits(asking, problem)) {
            return problem;
        }
        queue.served(waiter, clockMillis.getAsLong());
        inside.put(asking.who(), asking);
        replies.add(new Reply(asking.who(), answer));
        return null;
    }

    /** Whether time is likely to help: there is no room, or this coordinator has just started. */
    private boolean waits(Asking asking, Problem problem) {
        return switch (problem.kind()) {
            case OVERLOADED -> true;
            case MODEL_INCOMPLETE -> pool.awaitsWorkers(asking.wish().model());
            default -> false;
        };
    }

    private RouteAnswer refusal(@Nullable Problem said) {
        if (closed) {
            return new RouteAnswer.None(Problems.coordinatorStops());
        }
        int retry = queue.retryAfterMillis(clockMillis.getAsLong());
        return said == null
                ? new RouteAnswer.None(Problems.queueFull(retry))
                : new RouteAnswer.None(Problems.later(said, retry));
    }

    private boolean late(Asking asking, long nowMillis) {
        return nowMillis - asking.sinceMillis() >= pool.maxWaitMillis();
    }

    private void lookLater() {
        if (queue.size() > 0 && !looking && !closed) {
            looking = true;
            try {
                var _ = timer.schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException closing) {
                looking = false; // the runner refuses whoever waits
            }
        }
    }

    private void look() {
        List<Reply> replies = new ArrayList<>();
        synchronized (this) {
            looking = false;
            serve(replies);
            long now = clockMillis.getAsLong();
            for (Waiter<Asking> waiter : queue.removeIf(w -> late(w.who(), now))) {
                replies.add(
                        new Reply(
                                waiter.who().who(),
                                new RouteAnswer.None(
                                        Problems.waitedTooLong(
                                                pool.maxWaitMillis(),
                                                queue.retryAfterMillis(now)))));
            }
            lookLater();
        }
        reply(replies);
    }

    private static void reply(List<Reply> replies) {
        replies.forEach(reply -> reply.who().routed(reply.answer()));
    }
}
