using System.Runtime.ExceptionServices;

namespace Amalgam.Numerics;

/// <summary>
/// Runs the parts of one computation on several cores. The threads stay between calls and a warmed-up call allocates nothing, which <see cref="Parallel"/>
/// cannot offer. Which thread takes which part is not fixed; so that results do not depend on it, a part must compute its own outputs, in a fixed order.
/// </summary>
public static class Cores
{
    /// <summary>Loops over fewer operations than this are not worth a second thread.</summary>
    public const int WorthSharing = 1 << 15;

    private const int SpinsBeforeSleep = 2000;

    [ThreadStatic]
    private static int _limit;

    [ThreadStatic]
    private static CoreSpread? _spread;

    private static readonly Team Shared = new(Environment.ProcessorCount - 1);

    /// <summary>Threads that a call from this thread may use.</summary>
    public static int Count => _limit > 0 ? _limit : Most;

    private static int Most => _spread?.Threads ?? Environment.ProcessorCount;

    /// <summary>Limits the threads of calls from this thread until the result is disposed.</summary>
    /// <param name="count">Threads, at least one; more than the machine has are not used.</param>
    public static CoreLimit Limit(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        CoreLimit limit = new(_limit);
        _limit = Math.Min(count, Most);
        return limit;
    }

    internal static void Restore(int limit) => _limit = limit;

    /// <summary>Gives every computation of this thread threads of its own until the result is disposed.</summary>
    /// <param name="threads">Threads, be there fewer cores than that or not.</param>
    internal static CoreSpread Spread(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        return _spread = new(threads, _spread);
    }

    internal static void Restore(CoreSpread? spread) => _spread = spread;

    /// <summary>
    /// Calls <paramref name="body"/> once for each part from 0 to <paramref name="parts"/> - 1, on as many threads as <see cref="Count"/> allows, and returns
    /// when all are done. Calls from inside a part, and calls while another thread's computation holds the team, run on the caller alone.
    /// </summary>
    /// <param name="parts">Number of parts.</param>
    /// <param name="state">What the parts share. Spans do not travel between threads: pass tensors or arrays.</param>
    /// <param name="body">Does one part; static, so that nothing is captured.</param>
    /// <remarks>What a part throws is thrown on, once the parts already begun are done; of several failures the first.</remarks>
    public static void For<TState>(int parts, TState state, Action<TState, int> body)
    {
        if (parts > 1 && Count > 1 && (_spread is { } spread ? spread.Run(parts, Count, state, body) : Shared.Run(parts, Count, state, body))) return;
        for (int part = 0; part < parts; part++) body(state, part);
    }

    /// <summary>Splits <c>0 .. length - 1</c> into ranges of <paramref name="grain"/> (the last may be shorter) and calls <paramref name="body"/> with each range's start and end.</summary>
    public static void ForRange<TState>(int length, int grain, TState state, Action<TState, int, int> body)
    {
        if (length <= grain)
        {
            if (length > 0) body(state, 0, length);
            return;
        }

        For((int)(((long)length + grain - 1) / grain), (length, grain, state, body), static (s, part) =>
        {
            int from = part * s.grain;
            s.body(s.state, from, (int)Math.Min(s.length, (long)from + s.grain));
        });
    }

    /// <summary>The threads, asleep between computations and for a moment awake after one, since the next usually follows at once.</summary>
    internal sealed class Team
    {
        private readonly Lock _one = new();
        private readonly SemaphoreSlim[] _wake;
        private readonly bool[] _asleep;
        private volatile Job? _job;
        private volatile int _round;

        [ThreadStatic]
        private static bool _inside;

        public Team(int threads)
        {
            _wake = new SemaphoreSlim[Math.Max(threads, 0)];
            _asleep = new bool[_wake.Length];
            for (int i = 0; i < _wake.Length; i++)
            {
                _wake[i] = new(0);
                int index = i;
                new Thread(() => Serve(index)) { IsBackground = true, Name = $"amalgam core {i + 1}" }.Start();
            }
        }

        /// <summary>False when another computation has the threads.</summary>
        public bool Run<TState>(int parts, int threads, TState state, Action<TState, int> body)
        {
            // The job is made at the first call, even where that finds the threads taken, so that no later one allocates.
            Job<TState> job = Job<TState>.Shared;
            if (_wake.Length == 0 || _inside || !_one.TryEnter()) return false;
            _inside = true;
            try
            {
                job.Begin(parts, Math.Min(threads - 1, _wake.Length), state, body);
                _job = job;
                Interlocked.Increment(ref _round);
                for (int i = 0; i < job.Threads; i++)
                {
                    if (Interlocked.Exchange(ref _asleep[i], false)) _wake[i].Release();
                }

                job.Work();
            }
            catch (Exception e)
            {
                job.Fail(e);
            }

            job.Close();
            _job = null;
            ExceptionDispatchInfo? failure = job.End();
            _inside = false;
            _one.Exit();
            failure?.Throw();
            return true;
        }

        private void Serve(int index)
        {
            _inside = true;
            int seen = 0;
            while (true)
            {
                int spins = 0;
                while (_round == seen)
                {
                    if (++spins < SpinsBeforeSleep)
                    {
                        Thread.SpinWait(20);
                        continue;
                    }

                    // Said before the last look, and read after the round has changed: one of the two sees the other.
                    Interlocked.Exchange(ref _asleep[index], true);
                    if (_round == seen) _wake[index].Wait();
                    Volatile.Write(ref _asleep[index], false);
                }

                seen = _round;
                if (_job is { } job && index < job.Threads) job.Join();
            }
        }
    }

    private abstract class Job
    {
        private int _next, _parts, _busy, _open;
        private ExceptionDispatchInfo? _failure;

        public int Threads { get; private set; }

        protected void Begin(int parts, int threads)
        {
            (_next, _parts, Threads, _failure) = (0, parts, threads, null);
            Volatile.Write(ref _open, 1);
        }

        /// <summary>A helper's share. It is counted in before it looks whether the job is still open, so that <see cref="Close"/> waits for it.</summary>
        public void Join()
        {
            Interlocked.Increment(ref _busy);
            try
            {
                if (Volatile.Read(ref _open) == 1) Work();
            }
            catch (Exception e)
            {
                Fail(e);
            }
            finally
            {
                Interlocked.Decrement(ref _busy);
            }
        }

        /// <summary>Keeps the first failure; parts that nobody has begun are not begun any more.</summary>
        public void Fail(Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            Interlocked.Exchange(ref _next, _parts);
        }

        public void Work()
        {
            for (int part; Volatile.Read(ref _failure) is null && (part = Interlocked.Increment(ref _next) - 1) < _parts;) Do(part);
        }

        /// <summary>Lets nobody in any more and waits for those inside.</summary>
        public void Close()
        {
            Interlocked.Exchange(ref _open, 0);
            SpinWait wait = default;
            while (Volatile.Read(ref _busy) > 0) wait.SpinOnce(sleep1Threshold: -1);
        }

        /// <summary>Forgets what the job was; what failed in it, if something did.</summary>
        public virtual ExceptionDispatchInfo? End() => _failure;

        protected abstract void Do(int part);
    }

    /// <summary>One object for each kind of state serves every call: there is one computation at a time.</summary>
    private sealed class Job<TState> : Job
    {
        public static readonly Job<TState> Shared = new();

        private TState _state = default!;
        private Action<TState, int> _body = null!;

        public void Begin(int parts, int threads, TState state, Action<TState, int> body)
        {
            (_state, _body) = (state, body);
            Begin(parts, threads);
        }

        public override ExceptionDispatchInfo? End()
        {
            _state = default!;
            _body = null!;
            return base.End();
        }

        protected override void Do(int part) => _body(_state, part);
    }
}

/// <summary>Puts back the limit that was before; see <see cref="Cores.Limit"/>.</summary>
public readonly struct CoreLimit : IDisposable, IEquatable<CoreLimit>
{
    private readonly int _before;

    internal CoreLimit(int before) => _before = before;

    public void Dispose() => Cores.Restore(_before);

    public bool Equals(CoreLimit other) => _before == other._before;

    public override bool Equals(object? obj) => obj is CoreLimit other && Equals(other);

    public override int GetHashCode() => _before;

    public static bool operator ==(CoreLimit left, CoreLimit right) => left.Equals(right);

    public static bool operator !=(CoreLimit left, CoreLimit right) => !left.Equals(right);
}
