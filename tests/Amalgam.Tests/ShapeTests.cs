namespace Amalgam.Tests;

public class ShapeTests
{
    [Fact]
    public void A_scalar_has_one_element_and_no_axes()
    {
        Assert.Equal(1, default(Shape).Count);
        Assert.Equal(1, new Shape().Count);
        Assert.Equal(default, new Shape());
        Assert.Equal("[]", default(Shape).ToString());
    }

    [Fact]
    public void Counts_more_elements_than_an_int_holds() => Assert.Equal(3L << 31, new Shape(3, 1L << 31).Count);

    [Fact]
    public void Refuses_sizes_whose_product_overflows() => Assert.Throws<OverflowException>(() => new Shape(1L << 40, 1L << 40));

    [Fact]
    public void Prints_as_people_write_it() => Assert.Equal("[64,3,7,7]", new Shape(64, 3, 7, 7).ToString());
}
