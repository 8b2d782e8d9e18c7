package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.cli.LedgerCalls.Books;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar ledger}. */
@Command(
        name = "ledger",
        description = {
            "Show the co-operative's books: who gave tokens, and who used them.",
            "",
            "Whoever computes earns micro-credits for each token through each block, whoever asks spends them; what one has, others owe, so all balances together are zero. Coordinators count both themselves and post the sums every few seconds. Callers without an account are paid for by the account 'commons'. Credits cannot be bought, and not handed on. Whoever gave much lately and used little gets more turns when requests wait.",
            "",
            "Nobody proves yet whose a worker is: it earns for the account that its donor named with 'sahkar worker --owner'. Everybody who reaches a coordinator can read the books.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar ledger",
            "  sahkar ledger export books.csv",
            "  sahkar ledger export books.json",
            "  sahkar ledger statement alice",
            "  sahkar ledger statement worker/w-3f2a"
        })
final class LedgerCommand extends Subcommand {
    /** What to do with the books. */
    enum Action {
        BALANCES,
        EXPORT,
        STATEMENT
    }

    @Mixin private PoolOptions pool = new PoolOptions();

    @Parameters(
            index = "0",
            paramLabel = "ACTION",
            arity = "0..1",
            defaultValue = "balances",
            description =
                    "balances, the default; export FILE: accounts and the last postings, as JSON where FILE ends in .json, else CSV; statement NAME: one account, or a worker's by its id.")
    private Action action = Action.BALANCES;

    @Parameters(
            index = "1",
            paramLabel = "FILE|NAME",
            arity = "0..1",
            description = "Where to write the export, or whose statement.")
    private @Nullable String object;

    @Option(
            names = "--known",
            description =
                    "Take what the coordinator knows at the moment. Without it the answer holds everything that any coordinator had posted when it was asked, which needs a majority of them.")
    private boolean known;

    @Override
    public Integer call() {
        return switch (action) {
            case BALANCES -> balances();
            case EXPORT -> export(Path.of(named("a file to write, such as books.csv")));
            case STATEMENT ->
                    statement(named("an account, such as one that 'sahkar ledger' lists"));
        };
    }

    private String named(String what) {
        String given = object;
        if (given == null) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "'sahkar ledger %s' needs %s."
                            .formatted(action.name().toLowerCase(Locale.ROOT), what));
        }
        return given;
    }

    private Books read(String account, boolean postings) {
        return LedgerCalls.read(
                pool.addresses(),
                pool.transport(),
                LedgerRequest.newBuilder()
                        .setAccount(account)
                        .setPostings(postings)
                        .setLatest(!known)
                        .build());
    }

    private int balances() {
        if (object != null) {
            throw new CommandFailure(ExitCode.USAGE, "'sahkar ledger balances' takes no name.");
        }
        Books books = read("", false);
        out().print(LedgerReport.balances(books));
        out().flush();
        return checked(books);
    }

    private int export(Path file) {
        Books books = read("", true);
        boolean json = file.toString().endsWith(".json");
        String text = json ? LedgerReport.json(books) : LedgerReport.csv(books);
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        try {
            Files.writeString(partial, text, StandardCharsets.UTF_8);
            Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "%s cannot be written (%s); name another file.".formatted(file, e.getMessage()),
                    e);
        }
        out().println(
                        "%d accounts and %d postings are in %s"
                                .formatted(books.accounts().size(), books.postings().size(), file));
        out().flush();
        return checked(books);
    }

    private int statement(String name) {
        Books books = read(name, true);
        if (books.accounts().isEmpty()) {
            books = read("worker/" + name, true);
        }
        if (books.accounts().isEmpty()) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "No account %s has earned or spent anything; 'sahkar ledger' lists those that have."
                            .formatted(name));
        }
        out().print(LedgerReport.statement(books));
        out().flush();
        return ExitCode.OK;
    }

    /** The books are added up here once more, from the accounts themselves. */
    private static int checked(Books books) {
        long sum = books.accounts().stream().mapToLong(LedgerAccount::getBalanceMicros).sum();
        if (sum != 0 || books.head().getSumMicros() != 0) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "The balances add up to %s, not to zero: stop the coordinators and keep their data folders."
                            .formatted(LedgerReport.credits(sum)));
        }
        return ExitCode.OK;
    }
}
