package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.governance.ledger.Account;
import coop.sahkar.governance.ledger.Ledger;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.governance.ledger.Posting;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerAmount;
import coop.sahkar.proto.v1.LedgerHead;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerPosting;
import coop.sahkar.proto.v1.LedgerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The books in messages of bounded size. */
final class LedgerPages {
    private static final int ACCOUNTS_PER_PART = 500;

    private final PoolState state;
    private final Ledger ledger;
    private final LedgerRequest request;

    LedgerPages(PoolState state, LedgerRequest request) {
        this.state = state;
        this.ledger = state.ledger();
        this.request = request;
    }

    void forEach(Consumer<LedgerPart> out) {
        LedgerPart.Builder part = LedgerPart.newBuilder().setHead(head());
        SortedMap<String, List<String>> earners = earners();
        for (Map.Entry<String, Account> entry : ledger.accounts().entrySet()) {
            String name = entry.getKey();
            if (wanted(name)) {
                List<String> workers = earners.getOrDefault(name, List.of());
                part.addAccounts(account(name, entry.getValue(), workers));
            }
            if (part.getAccountsCount() >= ACCOUNTS_PER_PART) {
                out.accept(part.build());
                part = LedgerPart.newBuilder();
            }
        }
        out.accept(part.build());
        if (request.getPostings()) {
            for (Posting posting : ledger.kept()) {
                if (request.getAccount().isEmpty() || posting.touches(request.getAccount())) {
                    out.accept(LedgerPart.newBuilder().addPostings(posting(posting)).build());
                }
            }
        }
    }

    private boolean wanted(String account) {
        return request.getAccount().isEmpty() || request.getAccount().equals(account);
    }

    private LedgerHead head() {
        LedgerPolicy policy = state.policy().ledger();
        return LedgerHead.newBuilder()
                .setAtMillis(ledger.atMillis())
                .setSumMicros(ledger.sumMicros())
                .setEarnedMicros(
                        ledger.accounts().values().stream().mapToLong(Account::earnedMicros).sum())
                .setAccounts(ledger.accounts().size())
                .setPromptPriceMicros(policy.promptPriceMicros())
                .setAnswerPriceMicros(policy.answerPriceMicros())
                .setUsageIntervalMillis(policy.usageIntervalMillis())
                .build();
    }

    private SortedMap<String, List<String>> earners() {
        SortedMap<String, List<String>> earners = new TreeMap<>();
        for (String worker : state.workers().keySet()) {
            earners.computeIfAbsent(state.accountOf(worker), _ -> new ArrayList<>()).add(worker);
        }
        return earners;
    }

    private LedgerAccount account(String name, Account account, List<String> workers) {
        return LedgerAccount.newBuilder()
                .setName(name)
                .setBalanceMicros(account.balanceMicros())
                .setEarnedMicros(account.earnedMicros())
                .setSpentMicros(account.spentMicros())
                .setWeight(ledger.weight(name, state.policy().ledger()))
                .addAllWorkers(workers)
                .build();
    }

    private LedgerPosting posting(Posting posting) {
        LedgerPosting.Builder shown =
                LedgerPosting.newBuilder()
                        .setCoordinator(posting.coordinator())
                        .setSequence(posting.sequence())
                        .setAtMillis(posting.atMillis());
        posting.spentMicros()
                .forEach((name, micros) -> {
                    if (wanted(name)) {
                        shown.addSpent(amount(name, micros));
                    }
                });
        posting.earnedMicros()
                .forEach((name, micros) -> {
                    if (wanted(name)) {
                        shown.addEarned(amount(name, micros));
                    }
                });
        return shown.build();
    }

    private static LedgerAmount amount(String account, long micros) {
        return LedgerAmount.newBuilder().setAccount(account).setMicros(micros).build();
    }
}
