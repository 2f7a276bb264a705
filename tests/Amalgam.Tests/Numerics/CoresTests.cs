using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class CoresTests
{
    [Fact]
    public void Every_part_is_done_once() => Property.Holds(generator =>
    {
        int[] done = new int[generator.Random.Next(200)];
        Cores.For(done.Length, done, static (s, part) => Interlocked.Increment(ref s[part]));
        Assert.All(done, times => Assert.Equal(1, times));
    }, runs: 1000);

    [Fact]
    public void Ranges_cover_the_whole_without_overlap() => Property.Holds(generator =>
    {
        int[] done = new int[generator.Random.Next(2000)];
        Cores.ForRange(done.Length, 1 + generator.Random.Next(100), done, static (s, from, to) =>
        {
            for (int i = from; i < to; i++) Interlocked.Increment(ref s[i]);
        });
        Assert.All(done, times => Assert.Equal(1, times));
    });

    [Fact]
    public void A_part_may_itself_ask_for_parts()
    {
        int[] done = new int[64];
        Cores.For(8, done, static (s, part) => Cores.For(8, (s, part), static (t, inner) => Interlocked.Increment(ref t.s[t.part * 8 + inner])));
        Assert.All(done, times => Assert.Equal(1, times));
    }

    [Fact]
    public void Many_threads_may_ask_at_once() => Parallel.For(0, 200, _ =>
    {
        int[] done = new int[100];
        Cores.For(done.Length, done, static (s, part) => Interlocked.Increment(ref s[part]));
        Assert.All(done, times => Assert.Equal(1, times));
    });

    [Fact]
    public void A_failure_of_the_caller_is_thrown_on()
    {
        for (int i = 0; i < 20; i++)
        {
            Exception e = Assert.ThrowsAny<Exception>(() => Cores.For(50, 0, static (_, part) => throw new InvalidOperationException($"part {part}")));
            Assert.StartsWith("part", Assert.IsType<InvalidOperationException>(e).Message);
        }
    }

    /// <summary>A team of its own, since other tests may hold the shared one at any moment.</summary>
    [Fact]
    public void The_threads_go_on_after_one_of_them_failed()
    {
        Cores.Team team = new(1);
        for (int i = 0; i < 3; i++)
        {
            using Meeting failing = new(OthersFail: true), next = new(OthersFail: false);
            Assert.Equal("it failed", Assert.Throws<InvalidOperationException>(() => team.Run(2, 2, failing, Meeting.Attend)).Message);
            Assert.True(team.Run(2, 2, next, Meeting.Attend));
            Assert.NotEqual(next.Threads[0], next.Threads[1]);
        }
    }

    /// <summary>Two parts that wait for each other: two threads do them, or nobody ever does.</summary>
    private sealed record Meeting(bool OthersFail) : IDisposable
    {
        private readonly Barrier _both = new(2);
        private readonly int _caller = Environment.CurrentManagedThreadId;
        private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

        public int[] Threads { get; } = new int[2];

        public void Dispose() => _both.Dispose();

        public static void Attend(Meeting meeting, int part)
        {
            meeting.Threads[part] = Environment.CurrentManagedThreadId;
            meeting._both.SignalAndWait(meeting._cancel);
            if (meeting.OthersFail && meeting.Threads[part] != meeting._caller) throw new InvalidOperationException("it failed");
        }
    }

    [Theory]
    [InlineData(2, 4, 2)]
    [InlineData(100, 4, 4)]
    [InlineData(100, 3, 3)]
    public void Spread_parts_have_as_many_threads_as_was_asked_for_on_any_machine(int parts, int threads, int expected)
    {
        using CoreSpread spread = Cores.Spread(threads);
        Assert.Equal(threads, Cores.Count);
        int[] found = new int[parts];
        Cores.For(parts, found, static (s, part) =>
        {
            // Inside a part everything is its own thread's.
            Cores.For(3, (s, part), static (t, _) => t.s[t.part] += Environment.CurrentManagedThreadId);
        });
        Assert.All(found, id => Assert.Equal(0, id % 3));
        Assert.Equal(expected, found.Distinct().Count());
        Assert.Equal(1, spread.Splits);
        using (Cores.Limit(1)) Cores.For(parts, found, static (s, part) => s[part] = 0);
        Assert.Equal(1, spread.Splits);
        Assert.All(found, id => Assert.Equal(0, id));
        Assert.StartsWith("part", Assert.Throws<InvalidOperationException>(() => Cores.For(parts, 0, static (_, part) => throw new InvalidOperationException($"part {part}"))).Message);
    }

    [Fact]
    public void A_limit_of_one_keeps_everything_on_the_caller()
    {
        using CoreLimit limit = Cores.Limit(1);
        Assert.Equal(1, Cores.Count);
        int[] threads = new int[100];
        Cores.For(threads.Length, threads, static (s, part) => s[part] = Environment.CurrentManagedThreadId);
        Assert.All(threads, id => Assert.Equal(Environment.CurrentManagedThreadId, id));
    }

    [Fact]
    public void Nothing_is_allocated_when_warm()
    {
        int[] done = new int[1000];
        Warm.AllocatesNothing(() =>
        {
            for (int i = 0; i < 100; i++) Cores.For(done.Length, done, static (s, part) => s[part]++);
        });
    }
}
