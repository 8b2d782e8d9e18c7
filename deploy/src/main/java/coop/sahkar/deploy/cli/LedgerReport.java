package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.cli.LedgerCalls.Books;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerAmount;
import coop.sahkar.proto.v1.LedgerHead;
import coop.sahkar.proto.v1.LedgerPosting;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The books as tables, CSV and JSON. Amounts are whole micro-credits; tables show credits. */
final class LedgerReport {
    private static final long MICROS = 1_000_000;

    private LedgerReport() {}

    /** For example {@code -0.000123}. */
    static String credits(long micros) {
        long whole = Math.abs(micros / MICROS);
        long rest = Math.abs(micros % MICROS);
        String digits = Long.toString(MICROS + rest).substring(1);
        return (micros < 0 ? "-" : "") + whole + "." + digits;
    }

    static String balances(Books books) {
        LedgerHead head = books.head();
        if (books.accounts().isEmpty()) {
            return "Nothing has been earned or spent yet. What is asked now is posted within %d s.\n"
                    .formatted(seconds(head));
        }
        Table table = new Table("ACCOUNT", "BALANCE", "EARNED", "SPENT", "TURNS", "WORKERS");
        for (LedgerAccount account : books.accounts()) {
            table.row(
                    account.getName(),
                    credits(account.getBalanceMicros()),
                    credits(account.getEarnedMicros()),
                    credits(account.getSpentMicros()),
                    account.getWeight(),
                    account.getWorkersCount() == 0
                            ? "-"
                            : String.join(" ", account.getWorkersList()));
        }
        return table
                + "\n%d accounts, %s credits earned and as many spent; all balances together %s.\n"
                        .formatted(
                                head.getAccounts(),
                                credits(head.getEarnedMicros()),
                                head.getSumMicros() == 0
                                        ? "are zero"
                                        : "are " + credits(head.getSumMicros()))
                + "A token through a block: %d micro-credits in an answer, %d in a prompt. As of %s.\n"
                        .formatted(
                                head.getAnswerPriceMicros(),
                                head.getPromptPriceMicros(),
                                time(head.getAtMillis()));
    }

    private static int seconds(LedgerHead head) {
        return Math.max(1, Math.ceilDiv(head.getUsageIntervalMillis(), 1000));
    }

    static String statement(Books books) {
        LedgerAccount account = books.accounts().getFirst();
        StringBuilder text = new StringBuilder();
        text.append("Account %s\n".formatted(account.getName()));
        text.append("  balance  %s credits\n".formatted(credits(account.getBalanceMicros())));
        text.append("  earned   %s\n".formatted(credits(account.getEarnedMicros())));
        text.append("  spent    %s\n".formatted(credits(account.getSpentMicros())));
        text.append("  turns    %d\n".formatted(account.getWeight()));
        if (account.getWorkersCount() > 0) {
            text.append("  workers  %s\n".formatted(String.join(" ", account.getWorkersList())));
        }
        if (books.postings().isEmpty()) {
            return text.append("\nNo posting of it is kept any more.\n").toString();
        }
        Table table = new Table("TIME (UTC)", "COORDINATOR", "BATCH", "EARNED", "SPENT");
        for (LedgerPosting posting : books.postings()) {
            table.row(
                    time(posting.getAtMillis()),
                    posting.getCoordinator(),
                    posting.getSequence(),
                    credits(sum(posting.getEarnedList())),
                    credits(sum(posting.getSpentList())));
        }
        return text.append("\nThe last postings:\n").append(table).toString();
    }

    private static long sum(List<LedgerAmount> amounts) {
        return amounts.stream().mapToLong(LedgerAmount::getMicros).sum();
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** Names hold neither commas nor quotes. */
    static String csv(Books books) {
        StringBuilder csv =
                new StringBuilder(
                        "kind,account,time,coordinator,batch,earned_micros,spent_micros,balance_micros\n");
        for (LedgerAccount account : books.accounts()) {
            csv.append(
                    "account,%s,%s,,,%d,%d,%d\n"
                            .formatted(
                                    account.getName(),
                                    time(books.head().getAtMillis()),
                                    account.getEarnedMicros(),
                                    account.getSpentMicros(),
                                    account.getBalanceMicros()));
        }
        for (LedgerPosting posting : books.postings()) {
            posting.getSpentList().forEach(a -> csv.append(line(posting, a, 0, a.getMicros())));
            posting.getEarnedList().forEach(a -> csv.append(line(posting, a, a.getMicros(), 0)));
        }
        return csv.toString();
    }

    private static String line(LedgerPosting posting, LedgerAmount of, long earned, long spent) {
        return "posting,%s,%s,%s,%d,%d,%d,\n"
                .formatted(
                        of.getAccount(),
                        time(posting.getAtMillis()),
                        posting.getCoordinator(),
                        posting.getSequence(),
                        earned,
                        spent);
    }

    static String json(Books books) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("at", time(books.head().getAtMillis()));
        fields.put("sum_micros", books.head().getSumMicros());
        fields.put("earned_micros", books.head().getEarnedMicros());
        fields.put("prompt_price_micros", books.head().getPromptPriceMicros());
        fields.put("answer_price_micros", books.head().getAnswerPriceMicros());
        fields.put("accounts", books.accounts().stream().map(LedgerReport::fields).toList());
        fields.put("postings", books.postings().stream().map(LedgerReport::fields).toList());
        return Json.write(fields) + "\n";
    }

    private static Map<String, Object> fields(LedgerAccount account) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("account", account.getName());
        fields.put("balance_micros", account.getBalanceMicros());
        fields.put("earned_micros", account.getEarnedMicros());
        fields.put("spent_micros", account.getSpentMicros());
        fields.put("turns", account.getWeight());
        fields.put("workers", account.getWorkersList());
        return fields;
    }

    private static Map<String, Object> fields(LedgerPosting posting) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("at", time(posting.getAtMillis()));
        fields.put("coordinator", posting.getCoordinator());
        fields.put("batch", posting.getSequence());
        fields.put("spent_micros", amounts(posting.getSpentList()));
        fields.put("earned_micros", amounts(posting.getEarnedList()));
        return fields;
    }

    private static Map<String, Object> amounts(List<LedgerAmount> amounts) {
        Map<String, Object> fields = new LinkedHashMap<>();
        amounts.forEach(amount -> fields.put(amount.getAccount(), amount.getMicros()));
        return fields;
    }
}
