from django.urls import path
from shop.views import stamp

from exports_project.urls import *
from exports_project.urls import urlpatterns

urlpatterns = [path("shop/stamp", stamp), *urlpatterns]
