package coop.sahkar.coordinator.log;

import coop.sahkar.governance.ledger.Account;
import coop.sahkar.governance.ledger.Ledger;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.governance.ledger.Posting;
import coop.sahkar.governance.ledger.UsageBatch;
import coop.sahkar.governance.ledger.Work;
import coop.sahkar.proto.v1.AmountEntry;
import coop.sahkar.proto.v1.CountedEntry;
import coop.sahkar.proto.v1.LedgerAccountEntry;
import coop.sahkar.proto.v1.LedgerEntry;
import coop.sahkar.proto.v1.LedgerPolicyEntry;
import coop.sahkar.proto.v1.PostingEntry;
import coop.sahkar.proto.v1.UsageEntry;
import coop.sahkar.proto.v1.WorkEntry;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The ledger's parts of log entries and snapshots, there and back. */
final class LedgerAdapter {
    private LedgerAdapter() {}

    static LedgerPolicyEntry write(LedgerPolicy p) {
        return LedgerPolicyEntry.newBuilder()
                .setPromptPriceMicros(p.promptPriceMicros())
                .setAnswerPriceMicros(p.answerPriceMicros())
                .setUsageIntervalMillis(p.usageIntervalMillis())
                .setHalfLifeMillis(p.halfLifeMillis())
                .setFloorWeight(p.floorWeight())
                .setMostWeight(p.mostWeight())
                .setSteadyMicros(p.steadyMicros())
                .build();
    }

    static LedgerPolicy read(LedgerPolicyEntry p) {
        return new LedgerPolicy(
                p.getPromptPriceMicros(),
                p.getAnswerPriceMicros(),
                p.getUsageIntervalMillis(),
                p.getHalfLifeMillis(),
                p.getFloorWeight(),
                p.getMostWeight(),
                p.getSteadyMicros());
    }

    static UsageEntry write(UsageBatch batch) {
        UsageEntry.Builder entry =
                UsageEntry.newBuilder()
                        .setCoordinator(batch.coordinator())
                        .setRun(batch.run())
                        .setSequence(batch.sequence())
                        .setAtMillis(batch.atMillis())
                        .setUnproven(write("", batch.unproven()));
        batch.payers().forEach((name, work) -> entry.addPayers(write(name, work)));
        batch.workers().forEach((name, work) -> entry.addWorkers(write(name, work)));
        return entry.build();
    }

    private static WorkEntry write(String name, Work work) {
        return WorkEntry.newBuilder()
                .setName(name)
                .setPromptTokenBlocks(work.promptTokenBlocks())
                .setAnswerTokenBlocks(work.answerTokenBlocks())
                .build();
    }

    static UsageBatch read(UsageEntry entry) {
        return new UsageBatch(
                entry.getCoordinator(),
                entry.getRun(),
                entry.getSequence(),
                entry.getAtMillis(),
                work(entry.getPayersList()),
                work(entry.getWorkersList()),
                work(entry.getUnproven()));
    }

    private static SortedMap<String, Work> work(List<WorkEntry> entries) {
        SortedMap<String, Work> work = new TreeMap<>();
        for (WorkEntry entry : entries) {
            if (work.put(entry.getName(), work(entry)) != null) {
                throw new IllegalArgumentException("a usage batch names somebody twice");
            }
        }
        return work;
    }

    private static Work work(WorkEntry entry) {
        return new Work(entry.getPromptTokenBlocks(), entry.getAnswerTokenBlocks());
    }

    static LedgerEntry write(Ledger ledger) {
        LedgerEntry.Builder entry = LedgerEntry.newBuilder().setAtMillis(ledger.atMillis());
        ledger.accounts().forEach((name, account) -> entry.addAccounts(write(name, account)));
        ledger.counted()
                .forEach((id, last) ->
                        entry.addCounted(
                                CountedEntry.newBuilder()
                                        .setCoordinator(id)
                                        .setRun(last.run())
                                        .setSequence(last.sequence())));
        ledger.kept().forEach(posting -> entry.addKept(write(posting)));
        return entry.build();
    }

    private static LedgerAccountEntry write(String name, Account account) {
        return LedgerAccountEntry.newBuilder()
                .setName(name)
                .setEarnedMicros(account.earnedMicros())
                .setSpentMicros(account.spentMicros())
                .setGivenMicros(account.givenMicros())
                .setUsedMicros(account.usedMicros())
                .setFadedAtMillis(account.fadedAtMillis())
                .build();
    }

    private static PostingEntry write(Posting posting) {
        PostingEntry.Builder entry =
                PostingEntry.newBuilder()
                        .setCoordinator(posting.coordinator())
                        .setSequence(posting.sequence())
                        .setAtMillis(posting.atMillis());
        posting.spentMicros().forEach((name, micros) -> entry.addSpent(amount(name, micros)));
        posting.earnedMicros().forEach((name, micros) -> entry.addEarned(amount(name, micros)));
        return entry.build();
    }

    private static AmountEntry amount(String account, long micros) {
        return AmountEntry.newBuilder().setAccount(account).setMicros(micros).build();
    }

    static Ledger read(LedgerEntry entry) {
        SortedMap<String, Account> accounts = new TreeMap<>();
        entry.getAccountsList().forEach(a -> accounts.put(a.getName(), read(a)));
        SortedMap<String, Ledger.Counted> counted = new TreeMap<>();
        for (CountedEntry last : entry.getCountedList()) {
            counted.put(
                    last.getCoordinator(), new Ledger.Counted(last.getRun(), last.getSequence()));
        }
        List<Posting> kept = entry.getKeptList().stream().map(LedgerAdapter::read).toList();
        return new Ledger(entry.getAtMillis(), accounts, counted, kept);
    }

    private static Account read(LedgerAccountEntry account) {
        return new Account(
                account.getEarnedMicros(),
                account.getSpentMicros(),
                account.getGivenMicros(),
                account.getUsedMicros(),
                account.getFadedAtMillis());
    }

    private static Posting read(PostingEntry posting) {
        return new Posting(
                posting.getCoordinator(),
                posting.getSequence(),
                posting.getAtMillis(),
                amounts(posting.getSpentList()),
                amounts(posting.getEarnedList()));
    }

    private static SortedMap<String, Long> amounts(List<AmountEntry> entries) {
        SortedMap<String, Long> amounts = new TreeMap<>();
        entries.forEach(amount -> amounts.put(amount.getAccount(), amount.getMicros()));
        return amounts;
    }
}
