package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.limits.Budget;
import coop.sahkar.coordinator.limits.Limit;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.coordinator.limits.Verdict;
import coop.sahkar.coordinator.limits.Wish;
import coop.sahkar.proto.v1.BudgetMessage;
import coop.sahkar.proto.v1.CoordinatorPass;
import coop.sahkar.proto.v1.SettleRequest;
import coop.sahkar.proto.v1.TakeReply;
import coop.sahkar.proto.v1.TakeRequest;

/** What coordinators say to each other of limits, there and back. */
final class LimitsAdapter {
    /** Characters of a request's id, and of an account's. */
    private static final int MAX_ID = 64;

    private LimitsAdapter() {}

    static TakeRequest write(Wish wish, CoordinatorPass pass) {
        return TakeRequest.newBuilder()
                .setPass(pass)
                .setId(wish.id())
                .setAccount(wish.account())
                .setSessions(wish.sessions())
                .setTokens(wish.tokens())
                .build();
    }

    static Wish read(TakeRequest r) {
        return new Wish(
                id(r.getId()),
                id(r.getAccount()),
                Math.max(0, r.getSessions()),
                Math.max(0, r.getTokens()));
    }

    static SettleRequest write(Settlement end, CoordinatorPass pass) {
        return SettleRequest.newBuilder()
                .setPass(pass)
                .setId(end.id())
                .setAccount(end.account())
                .setCounts(end.counts())
                .setTokens(end.tokens())
                .build();
    }

    static Settlement read(SettleRequest r) {
        return new Settlement(
                id(r.getId()), id(r.getAccount()), r.getCounts(), Math.max(0, r.getTokens()));
    }

    static TakeReply write(Verdict verdict) {
        TakeReply.Builder reply =
                TakeReply.newBuilder()
                        .setLeads(true)
                        .setRequests(write(verdict.requests()))
                        .setTokens(write(verdict.tokens()));
        if (verdict instanceof Verdict.Refused refused) {
            int limit =
                    switch (refused.limit()) {
                        case REQUESTS_PER_MINUTE -> 1;
                        case TOKENS_PER_MINUTE -> 2;
                        case TOKENS_PER_DAY -> 3;
                        case CONCURRENT_SESSIONS -> 4;
                    };
            reply.setRefusedBy(limit).setRetryAfterMillis(refused.retryMillis());
        }
        return reply.build();
    }

    static Verdict read(TakeReply r) {
        Budget requests = read(r.getRequests());
        Budget tokens = read(r.getTokens());
        return switch (r.getRefusedBy()) {
            case 0 -> new Verdict.Granted(requests, tokens);
            case 2 -> refused(Limit.TOKENS_PER_MINUTE, r, requests, tokens);
            case 3 -> refused(Limit.TOKENS_PER_DAY, r, requests, tokens);
            case 4 -> refused(Limit.CONCURRENT_SESSIONS, r, requests, tokens);
            default -> refused(Limit.REQUESTS_PER_MINUTE, r, requests, tokens);
        };
    }

    private static Verdict refused(Limit limit, TakeReply r, Budget requests, Budget tokens) {
        return new Verdict.Refused(limit, r.getRetryAfterMillis(), requests, tokens);
    }

    private static BudgetMessage write(Budget budget) {
        return BudgetMessage.newBuilder()
                .setLimit(budget.limit())
                .setRemaining(budget.remaining())
                .setResetMillis(budget.resetMillis())
                .build();
    }

    private static Budget read(BudgetMessage budget) {
        return new Budget(budget.getLimit(), budget.getRemaining(), budget.getResetMillis());
    }

    private static String id(String id) {
        if (id.isEmpty() || id.length() > MAX_ID) {
            throw new IllegalArgumentException(
                    "an id must have 1 to %d characters".formatted(MAX_ID));
        }
        return id;
    }
}
